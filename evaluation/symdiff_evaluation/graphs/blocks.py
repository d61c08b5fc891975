"""The blocks of a stochastic block model that describe a graph most briefly."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.graphs.graph import SimpleGraph

MOST = 8  # blocks that are tried; the largest model of the field's data has 5
_ROUNDS = 30  # of moving all nodes at once
_SWEEPS = 20  # of moving them one by one


def infer_blocks(graph: SimpleGraph, most: int = MOST) -> np.ndarray:
    """Infer the blocks of the nodes: the partition of least description length that is found.

    For each number of blocks, nodes are clustered by the leading eigenvectors of the normalized adjacency, all moved to
    where they are likeliest until that stops helping, then one by one; last, blocks are merged while that helps.
    Everything is deterministic. (graph-tool's ``minimize_blockmodel_dl``, by which published numbers are made, samples
    partitions instead.)

    Parameters
    ----------
    graph : SimpleGraph
        A graph of at least one node.
    most : int
        Largest number of blocks that is tried.

    Returns
    -------
    numpy.ndarray, (N,) int64
        The block of each node, from 0.
    """
    best, least = np.zeros(graph.num_nodes, np.int64), np.inf
    vectors = _eigenvectors(graph)
    for count in range(1, min(most, graph.num_nodes) + 1):
        blocks = _settle(graph, _cluster(vectors[:, :count], count))
        length = description_length(graph, blocks)
        if length < least:
            best, least = blocks, length
    best = _move(graph, best)
    return _merge(graph, best)


def description_length(graph: SimpleGraph, blocks: np.ndarray) -> float:
    """Compute the nats to write the graph down by its blocks: which edges, how many between which blocks, which nodes
    in which block.

    For simple graphs without degree correction and with uniform priors.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.
    blocks : numpy.ndarray, (N,) int64
        The block of each node, from 0, none of them empty.

    Returns
    -------
    float
        The description length in nats.

    References
    ----------
    Peixoto, Nonparametric Bayesian inference of the microcanonical stochastic block model, Physical Review E 95 (2017).
    """
    sizes, edges = edge_counts(graph, blocks)
    return float(_length(sizes[None], edges[None], graph.num_nodes, len(graph.edges))[0])


def edge_counts(graph: SimpleGraph, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count nodes and edges by block.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.
    blocks : numpy.ndarray, (N,) int64
        The block of each node, from 0.

    Returns
    -------
    tuple of numpy.ndarray, (B,) and (B, B)
        Sizes of the blocks, and edges between blocks, those within a block once.
    """
    count = int(blocks.max()) + 1
    u, v = blocks[graph.edges].T
    edges = np.bincount(np.minimum(u, v) * count + np.maximum(u, v), minlength=count * count).reshape(count, count)
    return np.bincount(blocks, minlength=count), np.triu(edges) + np.triu(edges, 1).T


def _length(sizes: np.ndarray, edges: np.ndarray, nodes: int, total: int) -> np.ndarray:
    """(T,) of T partitions at once: ``sizes`` (T, B), ``edges`` (T, B, B). Empty blocks are none."""
    filled = (sizes > 0).sum(1)
    upper = np.triu_indices(sizes.shape[1])
    places = (
        sizes[:, :, None] * sizes[:, None, :]
        - np.eye(sizes.shape[1], dtype=np.int64) * (sizes * (sizes + 1) // 2)[:, None, :]
    )
    which = _log_choose(places[:, upper[0], upper[1]], edges[:, upper[0], upper[1]]).sum(1)
    pairs = filled * (filled + 1) // 2
    spread = _log_choose(pairs + total - 1, total)
    partition = (
        _log_choose(nodes - 1, filled - 1) + _log_factorial(nodes) - _log_factorial(sizes).sum(1) + np.log(nodes)
    )
    return which + spread + partition


def _log_factorial(n: np.ndarray | int) -> np.ndarray:
    from scipy.special import gammaln

    return gammaln(np.asarray(n, np.float64) + 1)


def _log_choose(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
    return _log_factorial(n) - _log_factorial(k) - _log_factorial(np.asarray(n) - np.asarray(k))


def _eigenvectors(graph: SimpleGraph) -> np.ndarray:
    """(N, N), by falling absolute eigenvalue, of the adjacency over the roots of the degrees plus their mean."""
    d = graph.degrees + graph.degrees.mean() + 1e-9
    values, vectors = np.linalg.eigh(graph.adjacency / np.sqrt(d[:, None] * d))
    return vectors[:, np.argsort(-np.abs(values), kind="stable")]


def _cluster(points: np.ndarray, count: int) -> np.ndarray:
    """k-means from the first point farthest from all before."""
    centers = [points.mean(0)]
    for _ in range(count):
        gaps = np.min([((points - center) ** 2).sum(1) for center in centers], axis=0)
        centers.append(points[gaps.argmax()])
    centers = np.array(centers[1:])
    labels = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        nearest = ((points[:, None] - centers) ** 2).sum(-1).argmin(1)
        if (nearest == labels).all():
            break
        labels = nearest
        centers = np.array([points[labels == k].mean(0) if (labels == k).any() else centers[k] for k in range(count)])
    return np.unique(labels, return_inverse=True)[1]


def _settle(graph: SimpleGraph, blocks: np.ndarray) -> np.ndarray:
    """All nodes to their likeliest block at once, again and again; the shortest of what comes by."""
    best, least = blocks, description_length(graph, blocks)
    adjacency = graph.adjacency
    for _ in range(_ROUNDS):
        sizes, edges = edge_counts(graph, blocks)
        members = np.eye(len(sizes))[blocks]
        places = np.outer(sizes, sizes) - np.diag(sizes * (sizes + 1) // 2)
        share = (edges + 0.5) / (places + 1)
        seen = adjacency @ members
        score = seen @ np.log(share) + (sizes - members - seen) @ np.log1p(-share) + np.log(sizes)
        moved = np.unique(score.argmax(1), return_inverse=True)[1]
        if (moved == blocks).all():
            break
        blocks = moved
        length = description_length(graph, blocks)
        if length < least:
            best, least = blocks, length
    return best


def _move(graph: SimpleGraph, blocks: np.ndarray) -> np.ndarray:
    """Nodes one by one to the block that shortens the description most, until none does."""
    blocks = blocks.copy()
    sizes, edges = edge_counts(graph, blocks)
    count, targets = len(sizes), np.arange(len(sizes))
    near = [np.flatnonzero(row) for row in graph.adjacency]
    for _ in range(_SWEEPS):
        changed = False
        for node in range(graph.num_nodes):
            here = blocks[node]
            seen = np.bincount(blocks[near[node]], minlength=count)
            after, joined = np.repeat(sizes[None], count, 0), np.repeat(edges[None], count, 0)
            after[:, here] -= 1
            after[targets, targets] += 1
            joined[:, here, :] -= seen
            joined[:, :, here] -= seen
            joined[:, here, here] += seen[here]
            for to in range(count):
                joined[to, to, :] += seen
                joined[to, :, to] += seen
                joined[to, to, to] -= seen[to]
            lengths = _length(after, joined, graph.num_nodes, len(graph.edges))
            to = int(lengths.argmin())
            if lengths[to] < lengths[here] - 1e-9:
                blocks[node], sizes, edges, changed = to, after[to], joined[to], True
        if not changed:
            break
    return np.unique(blocks, return_inverse=True)[1]


def _merge(graph: SimpleGraph, blocks: np.ndarray) -> np.ndarray:
    """Two blocks into one, the pair that shortens the description most, while any does."""
    least = description_length(graph, blocks)
    while blocks.max() > 0:
        merged = [np.where(blocks == v, u, blocks) for v in range(blocks.max() + 1) for u in range(v)]
        merged = [np.unique(labels, return_inverse=True)[1] for labels in merged]
        lengths = [description_length(graph, labels) for labels in merged]
        if min(lengths) >= least:
            break
        least, blocks = min(lengths), merged[int(np.argmin(lengths))]
    return blocks
