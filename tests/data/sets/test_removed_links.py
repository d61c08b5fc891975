"""Removed links join automorphic nodes: an equivariant network scores them at chance, one that is given z does not."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
import torch

from symdiff.breaking import Nothing, SymPE
from symdiff.data.sets.symmetric_problems import find_optima, find_orbits
from symdiff.denoisers import GraphTransformer
from symdiff.random import Streams
from symdiff.state import Categorical, State, schema_to_plain

SCHEMA = {"node": Categorical("node", 2), "edge": Categorical("pair", 2, undirected=True)}
GRAPHS = {
    "cycle": nx.cycle_graph(6),
    "path": nx.path_graph(5),
    "star": nx.star_graph(4),
    "two triangles": nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)),
    "tree": nx.balanced_tree(2, 2),
    "no symmetry": nx.Graph([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 4), (1, 3), (1, 4)]),
}


def edges_of(graph: nx.Graph) -> np.ndarray:
    return np.array(sorted(tuple(sorted(pair)) for pair in graph.edges), np.int64).reshape(-1, 2)


def orbits(graph: nx.Graph) -> list[int]:
    """The first node of every node's orbit, by all permutations."""
    a, n = nx.to_numpy_array(graph), len(graph)
    first = list(range(n))
    for g in permutations(range(n)):
        if (a[np.ix_(g, g)] == a).all():
            first = [min(first[i], first[g[i]], g[i]) for i in range(n)]
    return first


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_the_ends_are_automorphic_and_not_joined(graph):
    n, edges, expected = len(graph), edges_of(graph), orbits(graph)
    found = find_orbits(n, edges)
    assert all((found[u] == found[v]) == (expected[u] == expected[v]) for u in range(n) for v in range(n))
    links = {(u, v) for u in range(n) for v in range(u) if expected[u] == expected[v] and not graph.has_edge(u, v)}
    best, optima = find_optima("removed-links", n, edges)
    assert best == int(bool(links))
    if links:
        assert {tuple(np.nonzero(row)[0][::-1].tolist()) for row in optima} == links


def link_scores(breaker) -> torch.Tensor:
    """How probable a network without training finds each link of a cycle's opposite nodes, (3,), from no noise."""
    mask = torch.ones(1, 6, dtype=torch.bool)
    edge = torch.from_numpy(nx.to_numpy_array(GRAPHS["cycle"])).long()[None]
    x = State(mask, SCHEMA, {"node": torch.zeros(1, 6, dtype=torch.long), "edge": edge})
    z = breaker.double().sample(x.only("edge"), Streams(0, torch.arange(1)))
    torch.manual_seed(0)
    plain = schema_to_plain(SCHEMA)
    network = GraphTransformer(plain, plain, schema_to_plain(breaker.schema), 24, 8, 2, 2).double()
    for parameter in network.parameters():  # what starts at zero would hide what is not alike
        torch.nn.init.normal_(parameter, std=0.2)
    with torch.no_grad():
        node = network(x.to(torch.float64), torch.ones(1, dtype=torch.float64), z)["node"][0].log_softmax(-1)
    return torch.stack([node[u, 1] + node[u + 3, 1] for u in range(3)])


def test_an_equivariant_network_scores_at_chance():
    """The removed link and the others of its orbit have one score, so the area under the curve is a half."""
    breaker = SymPE({"kind": "NodesGiven", "given": ["edge"]}, {"kind": "NodeCode", "nodes": 8, "dim": 5})
    scores = {"equivariant": link_scores(Nothing()), "broken": link_scores(breaker)}
    spread = {name: (values.max() - values.min()).item() for name, values in scores.items()}
    assert spread["equivariant"] < 1e-12 and spread["broken"] > 1e-3
