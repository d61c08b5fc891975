"""How symmetric a graph is: order and orbits of its automorphism group, with its labels or without."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symdiff_evaluation.automorphisms import BUDGET, Undecided, automorphisms
from symdiff_evaluation.graphs.graph import Graph


@dataclass(frozen=True)
class Symmetry:
    """``order`` of the automorphism group, number of ``orbits`` of the ``nodes`` under it."""

    order: int
    orbits: int
    nodes: int

    @property
    def log_order(self) -> float:
        """Natural logarithm, also where the order is beyond what a float holds."""
        return math.log(self.order)

    @property
    def orbit_share(self) -> float:
        return self.orbits / self.nodes


def symmetry(graph: Graph, budget: int = BUDGET) -> Symmetry | None:
    """Of the graph with its labels; None where the search ran out of its ``budget`` of colored nodes."""
    try:
        order, orbits = automorphisms(*graph.colored(), budget)
    except Undecided:
        return None
    return Symmetry(order, orbits, graph.num_nodes)
