"""What an equivariant network can reach in one step, against known cases and a search over its probabilities."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest

from benchmarks.symmetric_problems import limit_equivariant
from symdiff.data.sets.symmetric_problems import find_optima


def edges_of(graph: nx.Graph) -> np.ndarray:
    return np.array(sorted(graph.edges), np.int64).reshape(-1, 2)


@pytest.mark.parametrize(
    ("name", "graph", "expected"),
    [
        ("max-cut", nx.cycle_graph(4), 2 / 16),
        ("max-cut", nx.star_graph(4), 1.0),  # the hub on one side: no symmetry has to be broken
        ("independent-set", nx.cycle_graph(6), 2 / 64),
        ("removed-links", nx.cycle_graph(6), 9 * (1 / 3) ** 2 * (2 / 3) ** 4),
    ],
)
def test_known_limits(name, graph, expected):
    edges = edges_of(graph)
    assert limit_equivariant(len(graph), edges, find_optima(name, len(graph), edges)[1]) == pytest.approx(
        expected, abs=1e-9
    )


def test_no_probabilities_are_better():
    """A path of 5 nodes has three orbits: all probabilities on a grid."""
    edges = edges_of(nx.path_graph(5))
    optima = find_optima("removed-links", 5, edges)[1]
    best = limit_equivariant(5, edges, optima)
    for a, b, c in product(np.linspace(0, 1, 21), repeat=3):
        p = np.array([a, b, c, b, a])
        assert np.where(optima == 1, p, 1 - p).prod(1).sum() <= best + 1e-9
