"""The blocks that describe a graph most briefly when each of its edges is written as two arcs, one in each direction.

The published test of block models (SPECTRE, then DiGress and others) hands the symmetric adjacency matrix to graph-tool
as a *directed* graph. Every edge then pays for its place twice while a partition of the nodes is paid for once, so that
blocks are split which an undirected model leaves whole. ``blocks`` is the undirected model; this one is only for
numbers that are compared with published ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaln

from symdiff_evaluation.graphs.blocks import infer_blocks
from symdiff_evaluation.graphs.graph import SimpleGraph

_SWEEPS = 20  # of moving nodes one by one
_CUTS = 4  # eigenvectors of a block by whose signs it is cut in two


def infer_arc_blocks(graph: SimpleGraph) -> np.ndarray:
    """Blocks of the nodes of least description length as a directed graph.

    The search starts from ``infer_blocks``. Nodes are moved one by one, blocks are merged and blocks are cut in two
    while that shortens the description. It draws no random numbers; graph-tool samples partitions instead, and does not
    always end at its shortest one.

    Parameters
    ----------
    graph : Graph
        A graph of at least one node.

    Returns
    -------
    numpy.ndarray
        (N,) int64, the block of each node from 0.
    """
    model = _Arcs(graph)
    blocks = model.descend(infer_blocks(graph))
    while True:
        cuts = [model.descend(cut) for cut in model.cuts(blocks)]
        lengths = [model.length(cut) for cut in cuts]
        if not cuts or min(lengths) > model.length(blocks) - 1e-9:
            return blocks
        blocks = cuts[int(np.argmin(lengths))]


def arc_description_length(graph: SimpleGraph, blocks: np.ndarray) -> float:
    """Nats to write the graph down as a directed one by the blocks and the degrees of its nodes.

    The microcanonical degree-corrected model: which arcs join the ends that degrees and blocks leave; how many arcs run
    between which blocks; which nodes are in which block; and how degrees are distributed in each block, in- and
    out-degrees each on their own, as graph-tool of today has it (older versions describe pairs of degrees, which leaves
    a few more blocks whole).

    Parameters
    ----------
    graph : Graph
        An undirected graph, each edge of which counts as two arcs.
    blocks : numpy.ndarray
        (N,) int64, the block of each node from 0, none of them empty.

    Returns
    -------
    float
        The description length in nats.

    References
    ----------
    Peixoto, Nonparametric Bayesian inference of the microcanonical stochastic block model, Physical Review E 95 (2017).
    """
    return _Arcs(graph).length(blocks) - 2 * float(gammaln(graph.degrees + 1).sum())


class _Arcs:
    """Description lengths of one graph without the term that is the same for all partitions, and the search for the
    shortest."""

    def __init__(self, graph: SimpleGraph) -> None:
        self.nodes, self.arcs = graph.num_nodes, 2 * len(graph.edges)
        self.adjacency = graph.adjacency.astype(np.int64)
        self.kinds = np.unique(graph.degrees, return_inverse=True)[1]  # nodes of one degree have one kind
        self.log_factorial = gammaln(np.arange(1, (self.nodes + 1) ** 2 + self.arcs + self.nodes + 2, dtype=np.float64))
        self.log_partitions = _log_partitions(self.arcs, self.nodes)

    def counts(self, blocks: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sizes (B,), arcs between blocks (B, B) and nodes of each kind of degree (B, D)."""
        members = np.eye(count, dtype=np.int64)[blocks]
        return (
            members.sum(0),
            members.T @ self.adjacency @ members,
            members.T @ np.eye(self.kinds.max() + 1, dtype=np.int64)[self.kinds],
        )

    def length(self, blocks: np.ndarray) -> float:
        counts = self.counts(blocks, int(blocks.max()) + 1)
        return float(self.lengths(*(array[None] for array in counts))[0])

    def lengths(self, sizes: np.ndarray, arcs: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """(T,) of T partitions at once, from their ``counts``. Empty blocks are none."""
        log_factorial = self.log_factorial
        filled, ends = (sizes > 0).sum(1), arcs.sum(2)
        which = 2 * log_factorial[ends].sum(1) - log_factorial[arcs].sum((1, 2))
        between = self._log_choose(filled**2 + self.arcs - 1, self.arcs)
        partition = (
            self._log_choose(self.nodes - 1, filled - 1)
            + log_factorial[self.nodes]
            - log_factorial[sizes].sum(1)
            + np.log(self.nodes)
        )
        degrees = (
            self.log_partitions[sizes, ends].sum(1) + log_factorial[sizes].sum(1) - log_factorial[kinds].sum((1, 2))
        )
        return which + between + partition + 2 * degrees

    def _log_choose(self, n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
        return self.log_factorial[n] - self.log_factorial[k] - self.log_factorial[n - k]

    def descend(self, blocks: np.ndarray) -> np.ndarray:
        """Nodes moved and blocks merged until neither shortens the description."""
        while True:
            moved = self._merge(self._move(blocks))
            if self.length(moved) > self.length(blocks) - 1e-9:
                return blocks
            blocks = moved

    def cuts(self, blocks: np.ndarray) -> Iterator[np.ndarray]:
        """The partitions with one block cut in two: along an eigenvector of its adjacency, its nodes then moved between
        the halves."""
        count = int(blocks.max()) + 1
        for block in range(count):
            inside = np.flatnonzero(blocks == block)
            within = self.adjacency[np.ix_(inside, inside)].astype(np.float64)
            scale = within.sum(1) + within.mean() * len(inside) + 1e-9
            values, vectors = np.linalg.eigh(within / np.sqrt(np.outer(scale, scale)))
            for which in np.argsort(-np.abs(values), kind="stable")[1 : 1 + _CUTS]:
                half = vectors[:, which] > 0
                if half.any() and not half.all():
                    cut = blocks.copy()
                    cut[inside[half]] = count
                    yield self._move(cut, np.array([block, count]))

    def _move(self, blocks: np.ndarray, targets: np.ndarray | None = None) -> np.ndarray:
        """Nodes of the blocks ``targets`` (of all) one by one to that of them which shortens the description most."""
        blocks, count = blocks.copy(), int(blocks.max()) + 1
        targets = np.arange(count) if targets is None else targets
        sizes, arcs, kinds = self.counts(blocks, count)
        trials = np.arange(len(targets))
        movable = np.flatnonzero(np.isin(blocks, targets))
        for _ in range(_SWEEPS):
            changed = False
            for node in movable.tolist():
                here, kind = blocks[node], self.kinds[node]
                seen = np.bincount(blocks, self.adjacency[node], count).astype(np.int64)
                new_sizes, new_arcs, new_kinds = (
                    np.repeat(array[None], len(targets), 0) for array in (sizes, arcs, kinds)
                )
                new_sizes[:, here] -= 1
                new_sizes[trials, targets] += 1
                new_kinds[:, here, kind] -= 1
                new_kinds[trials, targets, kind] += 1
                new_arcs[:, here] -= seen
                new_arcs[:, :, here] -= seen
                new_arcs[trials, targets] += seen
                new_arcs[trials, :, targets] += seen
                lengths = self.lengths(new_sizes, new_arcs, new_kinds)
                best = int(lengths.argmin())
                if lengths[best] < lengths[targets == here][0] - 1e-9:
                    blocks[node], changed = targets[best], True
                    sizes, arcs, kinds = new_sizes[best], new_arcs[best], new_kinds[best]
            if not changed:
                break
        return np.unique(blocks, return_inverse=True)[1]

    def _merge(self, blocks: np.ndarray) -> np.ndarray:
        """Two blocks into one, the pair that shortens the description most, while any does."""
        least = self.length(blocks)
        while blocks.max() > 0:
            pairs = [(u, v) for v in range(blocks.max() + 1) for u in range(v)]
            merged = [np.unique(np.where(blocks == v, u, blocks), return_inverse=True)[1] for u, v in pairs]
            lengths = [self.length(one) for one in merged]
            if min(lengths) > least - 1e-9:
                break
            least, blocks = min(lengths), merged[int(np.argmin(lengths))]
        return blocks


def _log_partitions(total: int, parts: int) -> np.ndarray:
    """(parts + 1, total + 1), the logarithm of the number of ways to write m <= total as a sum of at most n <= parts
    positive numbers."""
    ways = np.zeros((parts + 1, total + 1))
    ways[0, 0] = 1
    for n in range(1, parts + 1):
        ways[n] = ways[n - 1]
        for rest in range(min(n, total + 1)):
            ways[n, rest::n] = np.cumsum(ways[n - 1, rest::n])
    with np.errstate(divide="ignore"):
        return np.log(ways)
