"""The labelling against BLISS (igraph): the same isomorphism classes, the same orders of automorphism groups."""

from __future__ import annotations

import itertools

import networkx as nx
import pytest
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.groups.permutations import Symmetric
from symdiff.random import Streams, uniform
from symdiff.state import Categorical, State, node_mask
from symdiff.testing import difference

igraph = pytest.importorskip("igraph", reason="BLISS, the oracle, comes with the extra 'fast'")


def bliss(x: State) -> list[tuple[tuple, int]]:
    """For every structure: BLISS's canonical form, and the order of the automorphism group.

    A labelled pair becomes one more node, colored by its label; one that has a direction, a path of two.
    """
    directed, plain = not x.schema["pair"].undirected, x.schema["pair"] == Categorical("pair", 2, undirected=True)
    results = []
    for size, labels, pairs in zip(x.num_nodes.tolist(), x["node"].tolist(), x["pair"].tolist(), strict=True):
        colors = [3 * (10 * labels[i] + (pairs[i][i] if directed else 0)) for i in range(size)]
        edges = []
        for i, j in itertools.permutations(range(size), 2):
            if not pairs[i][j] or (i > j and not directed):
                continue
            path = [] if plain else [len(colors), len(colors) + 1][: 1 + directed]
            colors += [3 * pairs[i][j] + 1 + step for step in range(len(path))]
            edges += itertools.pairwise([i, *path, j])
        graph = igraph.Graph(n=len(colors), edges=edges, vertex_attrs={"color": colors})
        canonical = graph.permute_vertices(graph.canonical_permutation(color=colors))
        form = tuple(sorted(tuple(sorted(edge)) for edge in canonical.get_edgelist()))
        results.append(((size, tuple(canonical.vs["color"]), form), int(graph.count_automorphisms(color=colors))))
    return results


def check(x: State) -> None:
    nodes = Nodes()
    oracle = bliss(x)
    orders = torch.tensor([float(order) for _, order in oracle], dtype=torch.float64)
    assert torch.allclose(nodes.automorphisms(x), orders, rtol=1e-14, atol=0)  # exact below 2^53
    forms = nodes.form(x).tolist()
    keys = [key for key, _ in oracle]
    assert len(set(forms)) == len(set(keys)) == len(set(zip(forms, keys, strict=True)))
    group = nodes.group
    y = group.act(group.sample(x.mask, Streams(9, torch.arange(len(x)))), x)
    assert nodes.form(y).tolist() == forms
    assert difference(nodes.canonical(x), nodes.canonical(y)) == 0


def random_graphs(
    random_state, sizes: torch.Tensor, labels: int, kinds: int, density: float, seed: int, directed=False
) -> State:
    schema = {"node": Categorical("node", labels), "pair": Categorical("pair", kinds, undirected=not directed)}
    mask = node_mask(sizes)
    x = random_state(schema, mask, seed)
    kept = uniform((len(mask), *mask.shape[1:] * 2), Streams(seed + 1, torch.arange(len(mask)))) < density
    return x.with_values(pair=x["pair"] * (kept & kept.mT))


def test_small_random_graphs(random_state):
    check(random_graphs(random_state, torch.arange(3000) % 6 + 1, 1, 2, 1.0, 0))


def test_small_colored_graphs(random_state):
    check(random_graphs(random_state, torch.arange(3000) % 4 + 2, 2, 4, 0.8, 2))


def test_small_directed_graphs(random_state):
    check(random_graphs(random_state, torch.arange(2000) % 3 + 2, 2, 2, 1.0, 4, directed=True))


@pytest.mark.slow
def test_sparse_graphs_of_many_sizes(random_state):
    x = random_graphs(random_state, torch.arange(1000) % 22 + 3, 2, 3, 0.35, 6)
    twice = x.select(torch.arange(2000) % 1000)
    group = Symmetric()
    check(group.act(group.sample(twice.mask, Streams(8, torch.arange(2000))), twice))


def paley(q: int) -> nx.Graph:
    squares = {k * k % q for k in range(1, q)}
    return nx.Graph((i, j) for i, j in itertools.combinations(range(q), 2) if (i - j) % q in squares)


def shrikhande() -> nx.Graph:
    steps = [(0, 1), (1, 0), (1, 1)]
    sites = list(itertools.product(range(4), repeat=2))
    return nx.Graph((site, ((site[0] + a) % 4, (site[1] + b) % 4)) for site in sites for a, b in steps)


def copies(graph: nx.Graph, count: int) -> nx.Graph:
    return nx.disjoint_union_all([graph] * count)


SYMMETRIC = [
    *(nx.cycle_graph(n) for n in (3, 5, 8, 12, 20)),
    *(copies(nx.cycle_graph(n), 2) for n in (3, 6, 8)),
    *(nx.complete_bipartite_graph(a, b) for a, b in ((1, 7), (3, 3), (5, 5), (4, 9), (10, 10))),
    *(nx.complete_graph(n) for n in (2, 6, 13, 20)),
    *(nx.empty_graph(n) for n in (1, 7, 20)),
    *(nx.hypercube_graph(d) for d in (2, 3, 4)),
    nx.line_graph(nx.complete_bipartite_graph(4, 4)), shrikhande(), nx.line_graph(nx.complete_graph(6)),
    paley(5), paley(13), paley(17), nx.petersen_graph(), nx.complement(nx.petersen_graph()),
    nx.dodecahedral_graph(), nx.icosahedral_graph(), nx.desargues_graph(), nx.pappus_graph(), nx.heawood_graph(),
    nx.frucht_graph(), nx.moebius_kantor_graph(), nx.circular_ladder_graph(10), nx.grid_2d_graph(4, 4, periodic=True),
    nx.balanced_tree(2, 3), nx.star_graph(9), nx.complete_multipartite_graph(2, 2, 2, 2),
    nx.complete_multipartite_graph(3, 3, 4),
    copies(nx.path_graph(2), 8), copies(nx.complete_graph(4), 4), copies(nx.path_graph(3), 5), nx.barbell_graph(5, 2),
]  # fmt: skip

LARGE = [nx.hypercube_graph(5), nx.hypercube_graph(6), nx.cycle_graph(64), paley(29),
    nx.line_graph(nx.complete_graph(8)),
         copies(nx.dodecahedral_graph(), 3), nx.balanced_tree(2, 5), nx.grid_2d_graph(8, 8)]  # fmt: skip


def batch(graphs: list[nx.Graph]) -> State:
    mask = node_mask(torch.tensor([len(graph) for graph in graphs]))
    pairs = torch.zeros(len(graphs), *mask.shape[1:] * 2, dtype=torch.int64)
    for row, graph in enumerate(graphs):
        pairs[row, : len(graph), : len(graph)] = torch.from_numpy(nx.to_numpy_array(graph, dtype="int64"))
    schema = {"node": Categorical("node", 1), "pair": Categorical("pair", 2, undirected=True)}
    return State(mask, schema, {"node": torch.zeros_like(mask, dtype=torch.int64), "pair": pairs})


@pytest.mark.slow
def test_highly_symmetric_graphs():
    x = batch(SYMMETRIC)
    many = x.select(torch.arange(900) % len(x))
    group = Symmetric()
    check(group.act(group.sample(many.mask, Streams(3, torch.arange(900))), many))


@pytest.mark.slow
def test_large_symmetric_and_regular_graphs():
    regular = [nx.random_regular_graph(3, 64, seed=seed) for seed in range(34)]
    x = batch(LARGE + regular)
    many = x.select(torch.arange(100) % len(x))
    group = Symmetric()
    check(group.act(group.sample(many.mask, Streams(4, torch.arange(100))), many))
