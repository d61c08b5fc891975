"""Random graphs of two autoencoder studies, and graphs with many automorphisms, all drawn or built here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import networkx as nx
import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.graphs import graphs
from symdiff.graphs.edge_list import EdgeList
from symdiff.graphs.graph_set import collect

SPLIT = (5000, 500, 500)
"""Graphs to train, to validate and to test, as in the study of Satorras et al."""
STUDY = "Satorras, Hoogeboom, Welling: E(n) Equivariant Graph Neural Networks (ICML 2021), the autoencoder study"
LARGEST = 16
"""Nodes of the largest symmetric graph."""


def community_graphs(seed: int = 0) -> Dataset:
    """Draw graphs of two communities of 6 to 10 nodes, an edge with probability 0.7 inside and 0.01 between them.

    Parameters
    ----------
    seed : int
        Of all random numbers.

    Returns
    -------
    Dataset
        Of a ``Graph``.
    """

    def draw(random: np.random.Generator) -> np.ndarray:
        first, second = random.integers(6, 11, 2)
        block = np.arange(first + second) < first
        return np.where(block[:, None] == block, 0.7, 0.01)

    return _random("community-graphs", draw, seed)


def erdos_renyi(seed: int = 0) -> Dataset:
    """Draw Erdos-Renyi graphs of 7 to 16 nodes, an edge with probability 0.25.

    Parameters
    ----------
    seed : int
        Of all random numbers.

    Returns
    -------
    Dataset
        Of a ``Graph``.
    """
    return _random("erdos-renyi", lambda random: np.full((random.integers(7, 17),) * 2, 0.25), seed)


def _random(name: str, probabilities: Callable[[np.random.Generator], np.ndarray], seed: int) -> Dataset:
    random, count = np.random.default_rng(seed), sum(SPLIT)

    def draw() -> EdgeList:
        p = probabilities(random)
        edges = np.argwhere(np.triu(random.random(p.shape) < p, 1))
        return EdgeList(len(p), edges)

    meta = {"name": name, "source": {"title": f"drawn as in {STUDY}", "seed": seed}}
    drawn = collect(name, (draw() for _ in range(count)))
    split = np.repeat(np.arange(3, dtype=np.uint8), SPLIT)
    return graphs(replace(drawn, split=split), meta)


def symmetric_graphs() -> Dataset:
    """Graphs of 4 to 16 nodes with many automorphisms, every isomorphism class once; one in ten is to test.

    Cycles, stars, wheels, complete and complete bipartite graphs, grids, prisms, hypercubes, balanced trees,
    generalized Petersen graphs, copies of one cycle or complete graph, and the connected circulant graphs of degree at
    most 6.
    """
    kept: dict[bytes, list[nx.Graph]] = {}
    for graph in _symmetric():
        if not 4 <= len(graph) <= LARGEST:
            continue
        spectrum = np.linalg.eigvalsh(nx.to_numpy_array(graph)).round(6) + 0.0
        same = kept.setdefault(spectrum.tobytes(), [])
        if not any(nx.is_isomorphic(graph, other) for other in same):
            same.append(graph)
    unique = [graph for group in kept.values() for graph in group]
    entries = (EdgeList(len(graph), _edges(graph)) for graph in unique)
    meta = {"name": "symmetric-graphs", "source": {"title": "graphs of named families, built here"}}
    return graphs(collect("symmetric-graphs", entries), meta)


def _symmetric() -> Iterator[nx.Graph]:
    for n in range(4, LARGEST + 1):
        yield nx.cycle_graph(n)
        yield nx.star_graph(n - 1)
        yield nx.wheel_graph(n)
        yield nx.complete_graph(n)
        for a in range(2, n // 2 + 1):
            yield nx.complete_bipartite_graph(a, n - a)
            if n % a == 0:
                yield nx.convert_node_labels_to_integers(nx.grid_2d_graph(a, n // a))
                part = nx.cycle_graph(n // a) if n // a > 2 else nx.complete_graph(n // a)
                yield nx.disjoint_union_all([part] * a)
                yield nx.disjoint_union_all([nx.complete_graph(n // a)] * a)
                yield nx.complete_multipartite_graph(*[n // a] * a)
        for count in (1, 2, 3):
            for jumps in combinations(range(1, n // 2 + 1), count):
                if np.gcd.reduce([n, *jumps]) == 1:
                    yield nx.circulant_graph(n, jumps)
    for k in (2, 3, 4):
        yield nx.convert_node_labels_to_integers(nx.hypercube_graph(k))
        for depth in (1, 2, 3):
            yield nx.balanced_tree(k, depth)
    for n in range(3, LARGEST // 2 + 1):
        for k in range(1, (n + 1) // 2):
            outer = [(i, (i + 1) % n) for i in range(n)]
            inner = [(n + i, n + (i + k) % n) for i in range(n)]
            yield nx.Graph([*outer, *inner, *((i, n + i) for i in range(n))])


def _edges(graph: nx.Graph) -> np.ndarray:
    pairs = np.sort(np.array(list(graph.edges), np.int64).reshape(-1, 2), 1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
