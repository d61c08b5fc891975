"""Automorphism groups of graphs against enumeration and closed forms."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest

from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.symmetry import find_automorphisms


def graph_of(source: nx.Graph) -> SimpleGraph:
    source = nx.convert_node_labels_to_integers(source)
    edges = np.array(sorted(tuple(sorted(edge)) for edge in source.edges), np.int64).reshape(-1, 2)
    return SimpleGraph(len(source), edges)


def enumerated(graph: SimpleGraph) -> tuple[int, int]:
    """Order and orbits from all permutations."""
    labels, edges = graph.list_colors()
    both = {**edges, **{(j, i): kind for (i, j), kind in edges.items()}}
    kept = [
        g
        for g in itertools.permutations(range(graph.num_nodes))
        if all(labels[i] == labels[g[i]] for i in range(len(g)))
        and all(both.get((g[i], g[j])) == kind for (i, j), kind in both.items())
    ]
    return len(kept), len({frozenset(g[i] for g in kept) for i in range(graph.num_nodes)})


@pytest.mark.parametrize("labels", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_small_graphs_with_labels_of_nodes_and_edges(labels):
    rng = np.random.default_rng(0)
    pairs = np.array(list(itertools.combinations(range(6), 2)))
    for _ in range(40):
        edges = pairs[rng.random(15) < rng.choice([0.2, 0.5, 0.8])]
        graph = SimpleGraph(6, edges, rng.integers(0, labels[0], 6), rng.integers(0, labels[1], len(edges)))
        found = find_automorphisms(graph)
        assert (found.order, found.orbits) == enumerated(graph)


@pytest.mark.parametrize(
    ("source", "order", "orbits"),
    [
        (nx.empty_graph(900), math.factorial(900), 1),
        (nx.complete_graph(300), math.factorial(300), 1),
        (nx.star_graph(500), math.factorial(500), 2),
        (nx.complete_bipartite_graph(100, 100), 2 * math.factorial(100) ** 2, 1),
        (nx.disjoint_union_all([nx.complete_graph(4)] * 100), math.factorial(4) ** 100 * math.factorial(100), 1),
        (nx.balanced_tree(2, 6), 2**63, 7),
        (nx.cycle_graph(300), 600, 1),
        (nx.petersen_graph(), 120, 1),
        (nx.hypercube_graph(5), 3840, 1),
        (nx.grid_2d_graph(7, 7), 8, 10),
        (nx.frucht_graph(), 1, 12),
    ],
)
def test_known_groups(source, order, orbits):
    found = find_automorphisms(graph_of(source))
    assert (found.order, found.orbits) == (order, orbits) and found.log_order == math.log(order)


def test_what_takes_too_long_is_undecided():
    assert find_automorphisms(graph_of(nx.hypercube_graph(5)), budget=100) is None
