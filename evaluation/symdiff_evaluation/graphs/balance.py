"""Is the distribution of graphs invariant under renumbering of the nodes?

Two tests on the order of nodes in the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from symdiff_evaluation.core.balance import Balance, position_balance, repeated_orbit_balance
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.symmetry import Automorphisms


def image_balance(
    graphs: Sequence[SimpleGraph], hashes: np.ndarray, symmetries: Sequence[Automorphisms | None]
) -> Balance:
    """Test that of each graph all numberings, n! over its automorphisms, are equally frequent.

    Graphs that occur too rarely (``repeated_orbit_balance``) are undecided.

    Parameters
    ----------
    graphs : sequence of SimpleGraph, (n,)
        Graphs as the file numbers their nodes.
    hashes : numpy.ndarray, (n,) uint64
        Hashes of their canonical forms; 0: undecided.
    symmetries : sequence of Automorphisms or None, (n,)
        Their automorphism groups.

    Returns
    -------
    Balance
        The test.
    """
    numbered = [
        (code, _numbering(graph), math.factorial(graph.num_nodes) // one.order)
        for graph, code, one in zip(graphs, hashes.tolist(), symmetries, strict=True)
        if one is not None and code
    ]
    test = repeated_orbit_balance(*zip(*numbered, strict=True)) if numbered else repeated_orbit_balance([], [], [])
    return Balance(test.statistic, test.mean, test.variance, test.count, len(graphs) - test.count)


def place_balance(graphs: Sequence[SimpleGraph]) -> Balance:
    """Test that nodes of every degree stand at each position of the order equally often.

    Parameters
    ----------
    graphs : sequence of SimpleGraph
        Graphs as the file numbers their nodes.

    Returns
    -------
    Balance
        The test; regular graphs are undecided.
    """
    return position_balance([graph.degrees for graph in graphs])


def _numbering(graph: SimpleGraph) -> bytes:
    """The graph as it stands in the file."""
    labels = [np.zeros(0, np.int64) if part is None else part for part in (graph.node_labels, graph.edge_labels)]
    return np.concatenate([[graph.num_nodes, len(graph.edges)], graph.edges.ravel(), *labels]).astype(">i8").tobytes()
