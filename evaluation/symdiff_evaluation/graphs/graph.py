"""One undirected graph without loops and repeated edges, its nodes and edges possibly labeled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class SimpleGraph:
    """An undirected graph; isomorphic graphs are compared by ``forms``, ``==`` is identity.

    Parameters
    ----------
    num_nodes : int
        Number of nodes N.
    edges : numpy.ndarray, (E, 2) int64
        Each pair once with u < v.
    node_labels : numpy.ndarray, (N,) int64, optional
        From 0.
    edge_labels : numpy.ndarray, (E,) int64, optional
        From 0.
    """

    num_nodes: int
    edges: np.ndarray
    node_labels: np.ndarray | None = None
    edge_labels: np.ndarray | None = None

    @property
    def adjacency(self) -> np.ndarray:
        """(N, N) float64 of 0 and 1; made afresh, since a set of graphs must not keep them all."""
        dense = np.zeros((self.num_nodes, self.num_nodes))
        u, v = self.edges.T
        dense[u, v] = dense[v, u] = 1
        return dense

    @cached_property
    def degrees(self) -> np.ndarray:
        """Degrees of the nodes, (N,) int64."""
        return np.bincount(self.edges.ravel(), minlength=self.num_nodes)

    @cached_property
    def component_of(self) -> np.ndarray:
        """(N,) the number of each node's connected component, from 0."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ones = np.ones(len(self.edges), np.int8)
        matrix = coo_array((ones, (self.edges[:, 0], self.edges[:, 1])), shape=(self.num_nodes, self.num_nodes))
        return connected_components(matrix, directed=False)[1]

    @property
    def components(self) -> int:
        """Number of connected components."""
        return int(self.component_of.max()) + 1

    @property
    def is_connected(self) -> bool:
        """Whether there is one component."""
        return self.components == 1

    @property
    def is_labeled(self) -> bool:
        """Whether nodes or edges have labels."""
        return self.node_labels is not None or self.edge_labels is not None

    def remove_labels(self) -> SimpleGraph:
        """Give the same nodes and edges without labels."""
        return SimpleGraph(self.num_nodes, self.edges) if self.is_labeled else self

    def parts(self) -> list[SimpleGraph]:
        """Give the components as graphs, each with its nodes in the same order."""
        if self.is_connected:
            return [self]
        components = []
        for number in range(self.components):
            inside = self.component_of == number
            place = np.cumsum(inside) - 1
            kept = inside[self.edges[:, 0]]
            nodes = None if self.node_labels is None else self.node_labels[inside]
            kinds = None if self.edge_labels is None else self.edge_labels[kept]
            components.append(SimpleGraph(int(inside.sum()), place[self.edges[kept]], nodes, kinds))
        return components

    def list_colors(self) -> tuple[list[int], dict[tuple[int, int], int]]:
        """Give labels of nodes and of edges as ``automorphisms`` reads them, 0 where there are none."""
        nodes: list[int] = [0] * self.num_nodes if self.node_labels is None else self.node_labels.tolist()
        kinds = [0] * len(self.edges) if self.edge_labels is None else self.edge_labels.tolist()
        return nodes, {(i, j): kind for (i, j), kind in zip(self.edges.tolist(), kinds, strict=True)}
