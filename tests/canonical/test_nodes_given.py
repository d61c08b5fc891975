"""The rule for conditions: what training draws, averaged over equally likely x0, is what sampling draws."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import pytest
import torch

from symdiff.canonical import Nodes, NodesGiven
from symdiff.groups import Symmetric
from symdiff.random import Streams
from symdiff.state import Categorical, State, node_mask
from symdiff.testing import coset_test

SCHEMA = {"node": Categorical("node", 2), "edge": Categorical("pair", 2, undirected=True)}
GRAPHS = [nx.cycle_graph(4), nx.path_graph(4), nx.star_graph(3), nx.disjoint_union(nx.path_graph(2), nx.path_graph(2))]


def structure(graph: nx.Graph, labels: list[list[int]]) -> State:
    n = len(graph)
    edge = torch.from_numpy(nx.to_numpy_array(graph)).long().expand(len(labels), -1, -1)
    mask = torch.ones(len(labels), n, dtype=torch.bool)
    return State(mask, SCHEMA, {"node": torch.tensor(labels), "edge": edge})


def automorphisms(graph: nx.Graph) -> list[tuple[int, ...]]:
    a = torch.from_numpy(nx.to_numpy_array(graph))
    return [g for g in permutations(range(len(graph))) if torch.equal(a[list(g)][:, list(g)], a)]


@pytest.mark.parametrize("graph", GRAPHS, ids=["cycle", "path", "star", "two edges"])
def test_the_given_part_has_one_representative_whatever_the_rest_is(graph):
    every = [[k >> i & 1 for i in range(4)] for k in range(16)]
    x, canonicalizer = structure(graph, every), NodesGiven(["edge"])
    form = canonicalizer.canonical(x)
    alone = Nodes(fields=["edge"]).canonical(x.only("edge"))
    assert torch.equal(form["edge"], alone["edge"])
    # structures share their form exactly where an automorphism of the graph carries one to the other
    moved = {tuple(labels): tuple(form["node"][k].tolist()) for k, labels in enumerate(every)}
    for labels, other in ((a, b) for a in moved for b in moved):
        together = any(tuple(labels[i] for i in g) == other for g in automorphisms(graph))
        assert (moved[labels] == moved[other]) == together


@pytest.mark.parametrize("graph", GRAPHS, ids=["cycle", "path", "star", "two edges"])
def test_draws_of_training_are_those_of_sampling_on_average(graph):
    """x0 uniform on an orbit of the stabilizer: then g is uniform on the coset, as for the graph alone (chi-square)."""
    draws, canonicalizer = 6000, NodesGiven(["edge"])
    stabilizer = automorphisms(graph)
    pick = torch.randint(len(stabilizer), (draws,), generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([1, 0, 0, 1])[torch.tensor(stabilizer)[pick]]
    x = structure(graph, labels.tolist())
    trained = canonicalizer.sample(x, Streams(0, torch.arange(draws)))
    sampled = canonicalizer.sample(x.only("edge"), Streams(1, torch.arange(draws)))
    for g in (trained, sampled):
        forms = Symmetric().act(Symmetric().inverse(g), x.only("edge"))["edge"]
        assert bool((forms == forms[0]).all())  # all lie in one coset
        counts = torch.unique(g, dim=0, return_counts=True)[1].double()
        assert len(counts) == len(stabilizer)
        expected = draws / len(stabilizer)
        chi_square = float(((counts - expected) ** 2 / expected).sum())
        assert chi_square < len(stabilizer) + 6 * (2 * len(stabilizer)) ** 0.5


def test_draws_are_equivariant_and_uniform_on_ties():
    x = structure(nx.cycle_graph(4), [[0, 1, 0, 1], [0, 0, 0, 0]])
    assert coset_test(NodesGiven(["edge"]), x, 4000, torch.Generator().manual_seed(0)).min() > 1e-6


def test_padding_and_what_is_no_list():
    x = structure(GRAPHS[0], [[0, 1, 1, 0]])
    wide = State(
        node_mask(torch.tensor([4]), 6),
        SCHEMA,
        {
            "node": torch.nn.functional.pad(x["node"], (0, 2)),
            "edge": torch.nn.functional.pad(x["edge"], (0, 2, 0, 2)),
        },
    )
    canonicalizer = NodesGiven(["edge"])
    assert torch.equal(canonicalizer.element(wide)[:, :4], canonicalizer.element(x))
    for given in ("edge", []):
        with pytest.raises(ValueError, match="needs a list"):
            NodesGiven(given)
