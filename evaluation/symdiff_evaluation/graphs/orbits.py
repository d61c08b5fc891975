"""How often each node takes each of the 15 roles in the connected subgraphs of two to four nodes."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.graphs.graph import SimpleGraph


def count_orbits(graph: SimpleGraph) -> np.ndarray:
    """Count how often each node takes each of the 15 roles in induced connected subgraphs of two to four nodes.

    0 edge; 1 end and 2 middle of a path of three; 3 triangle; 4 end and 5 inside of a path of four; 6 leaf and 7 center
    of a star; 8 square; 9 tail, 10 far and 11 joint of a triangle with a tail; 12 off and 13 on the edge that two
    triangles share; 14 complete. Every subgraph is counted first as contained (from degrees, common neighbors and
    triangles), then the denser ones that contain it are taken away.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.

    Returns
    -------
    numpy.ndarray, (N, 15) int64
        The counts.

    References
    ----------
    Przulj, Biological network comparison using graphlet degree distribution, Bioinformatics 23 (2007).
    """
    a, d = graph.adjacency, graph.degrees.astype(np.float64)
    common = a @ a
    t = common * a  # triangles on each edge
    triangles = t.sum(1) / 2
    beyond = a @ (d - 1)  # steps that lead on from the neighbors
    edges_between = a @ triangles - t.sum(1)
    aside = ((a @ t) * a).sum(1) / 2 - triangles  # squares with one diagonal, this node off it
    squares = ((common * (common - 1)).sum(1) - d * (d - 1)) / 2
    full = count_cliques(a)

    end = aside - 3 * full
    middle = (t * (t - 1)).sum(1) / 2 - 3 * full
    square = squares - end - middle - 3 * full
    tail = edges_between - 2 * end - 3 * full
    far = t @ (d - 2) - 2 * end - 2 * middle - 6 * full
    joint = triangles * (d - 2) - 2 * middle - 3 * full
    center = d * (d - 1) * (d - 2) / 6 - joint - middle - full
    leaf = a @ ((d - 1) * (d - 2) / 2) - tail - far - 2 * end - middle - 3 * full
    outer = (
        common @ (d - 1) - d * (d - 1) - 2 * triangles - 2 * square - 2 * tail - far - 4 * end - 2 * middle - 6 * full
    )
    inner = (d - 1) * beyond - 2 * triangles - 2 * square - 2 * joint - far - 2 * end - 4 * middle - 6 * full
    columns = [
        d, beyond - 2 * triangles, d * (d - 1) / 2 - triangles, triangles,
        outer, inner, leaf, center, square, tail, far, joint, end, middle, full,
    ]  # fmt: skip
    return np.rint(np.stack(columns, 1)).astype(np.int64)


def count_cliques(adjacency: np.ndarray) -> np.ndarray:
    """Count the complete subgraphs of four nodes at each node.

    Each is found once, from its node of least degree: a triangle among that node's neighbors of higher degree.

    Parameters
    ----------
    adjacency : numpy.ndarray, (N, N)
        0 and 1.

    Returns
    -------
    numpy.ndarray, (N,)
        The counts.
    """
    count = len(adjacency)
    rank = np.empty(count, np.int64)
    rank[np.argsort(adjacency.sum(1), kind="stable")] = np.arange(count)
    counts = np.zeros(count)
    for node in range(count):
        above = np.flatnonzero(adjacency[node])
        above = above[rank[above] > rank[node]]
        if len(above) < 3:
            continue
        near = adjacency[np.ix_(above, above)]
        here = ((near @ near) * near).sum(1) / 2
        counts[above] += here
        counts[node] += here.sum() / 3
    return counts
