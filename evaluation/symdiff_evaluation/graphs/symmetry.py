"""How symmetric a graph is: order and orbits of its automorphism group, with its labels or without."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

from symdiff_evaluation.core.automorphisms import SearchExhausted, automorphisms
from symdiff_evaluation.graphs.graph import SimpleGraph

# nodes colored in the search through one graph: seconds for the largest, nothing for those of the benchmarks
BUDGET = 250_000
_DEGREE = 3  # the mean number of neighbors that the budget is made for


@dataclass(frozen=True)
class Automorphisms:
    """The automorphism group of a graph, in numbers.

    Parameters
    ----------
    order : int
        Order of the group.
    orbits : int
        Number of orbits of the nodes.
    nodes : int
        Number of nodes.
    """

    order: int
    orbits: int
    nodes: int

    @property
    def log_order(self) -> float:
        """Natural logarithm, also where the order is beyond what a float holds."""
        return math.log(self.order)

    @property
    def orbit_share(self) -> float:
        """Number of orbits per node."""
        return self.orbits / self.nodes


def find_automorphisms(graph: SimpleGraph, budget: int = BUDGET) -> Automorphisms | None:
    """Find the automorphism group of a graph with its labels.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.
    budget : int
        Number of nodes that the search may color, fewer where they have many neighbors.

    Returns
    -------
    Automorphisms or None
        None where the budget does not suffice.
    """
    quotient = _Quotient(graph)
    labels, edges = quotient.list_colors()
    degree = 2 * len(edges) / len(labels)
    try:
        order, orbits = automorphisms(labels, edges, int(budget / max(1.0, degree / _DEGREE)))
    except SearchExhausted:
        return None
    return Automorphisms(order * quotient.order, orbits, graph.num_nodes)


class _Quotient:
    """A graph with one node for each class of twins, which any permutation among them leaves as it is, again and again.

    Twins have the same label and see the same nodes by the same edges: all of them each other, by one kind of edge, or
    none. The automorphisms are the permutations of twins (``order`` of them) times those of the quotient, whose labels
    tell how many nodes stand behind each.
    """

    def __init__(self, graph: SimpleGraph) -> None:
        labels, edges = graph.list_colors()
        self.labels: dict[int, Hashable] = dict(enumerate(labels))
        self.near: dict[int, dict[int, int]] = {node: {} for node in self.labels}
        for (i, j), kind in edges.items():
            self.near[i][j] = self.near[j][i] = kind
        self.order = 1
        kinds = [None, *sorted(set(edges.values()))]
        while sum(self.merge(kind) for kind in kinds):  # every kind has its turn in every round
            pass

    def merge(self, kind: int | None) -> bool:
        """Merge twins joined by edges of this kind (None: not joined); whether there were any."""
        classes: dict[Hashable, list[int]] = defaultdict(list)
        for node, seen in self.near.items():
            sight = frozenset(seen.items() if kind is None else {**seen, node: kind}.items())
            classes[self.labels[node], sight].append(node)
        groups = [twins for twins in classes.values() if len(twins) > 1]
        for first, *others in groups:
            self.order *= math.factorial(len(others) + 1)
            self.labels[first] = (self.labels[first], kind, len(others) + 1)
            for node in others:
                for other in self.near.pop(node):
                    del self.near[other][node]
                del self.labels[node]
        return bool(groups)

    def list_colors(self) -> tuple[list[Hashable], dict[tuple[int, int], int]]:
        """Labels and edges as ``automorphisms`` reads them."""
        place = {node: k for k, node in enumerate(self.labels)}
        edges = {(place[i], place[j]): kind for i, seen in self.near.items() for j, kind in seen.items() if i < j}
        return list(self.labels.values()), edges
