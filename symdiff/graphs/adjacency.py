"""Graphs as dense adjacency matrices: one array a graph, or one array for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs.edge_list import MAX_NODES, EdgeList, check, check_size
from symdiff.graphs.graph_set import GraphSet, collect
from symdiff.storage.records import Broken
from symdiff.storage.splits import read_splits

_NAME = re.compile(r"arr_\d+|(?:adj|adjs|adjacency|A|a|graphs?|samples?)(?:_?\d+)?", re.IGNORECASE)
_PADDED = (
    "nodes without edges behind all others were taken as padding; an array num_nodes tells them from isolated nodes."
)


def holds_matrices(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell by names and shapes whether arrays are adjacency matrices.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        The arrays of a file.

    Returns
    -------
    bool
        Whether all of them are square and named as matrices are.
    """
    names = [name for name in shapes if name not in ("num_nodes", "split")]
    return bool(names) and all(
        _NAME.fullmatch(name) and len(shapes[name]) in (2, 3) and shapes[name][-1] == shapes[name][-2] for name in names
    )


def read_matrices(arrays: Mapping[str, np.ndarray], place: str, max_nodes: int = MAX_NODES) -> GraphSet:
    """Read graphs from adjacency matrices, as ``np.savez(file, *matrices)`` and ``np.save(file, stacked)`` write them.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        Each (n, n), or (G, n, n) with the graphs padded to one size; entries are 0, 1 or the labels of edges from 1.
        Perhaps ``num_nodes`` (G,), without which isolated nodes at the end of a matrix of the second kind are padding;
        perhaps ``split`` (G,).
    place : str
        The name of the file.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    GraphSet
        Edges have labels where any entry is above 1.

    Raises
    ------
    UserError
        Where the arrays are no matrices of numbers.
    """
    matrices = {name: value for name, value in arrays.items() if name not in ("num_nodes", "split")}
    for name, value in matrices.items():
        if value.dtype.kind not in "biuf":
            raise UserError(f"{place}: {name}: expected numbers, got {value.dtype}")
    count = sum(len(value) if value.ndim == 3 else 1 for value in matrices.values())
    sizes = arrays.get("num_nodes")
    if sizes is not None and (sizes.shape != (count,) or sizes.dtype.kind not in "iu"):
        raise UserError(
            f"{place}: num_nodes: expected one integer for each of {count} graphs, got {sizes.dtype} {sizes.shape}"
        )
    labeled = any(value.size and value.max() > 1 for value in matrices.values() if value.dtype.kind != "b")
    graph_set = collect(place, _entries(matrices, sizes, labeled, max_nodes))
    padded = sizes is None and any(value.ndim == 3 for value in matrices.values())
    split = read_splits(arrays["split"], count, place) if "split" in arrays else None
    return replace(graph_set, split=split, notes=(*graph_set.notes, *([f"{place}: {_PADDED}"] if padded else [])))


def _entries(
    matrices: Mapping[str, np.ndarray], sizes: np.ndarray | None, labeled: bool, max_nodes: int
) -> Iterator[EdgeList | Broken]:
    number = 0
    for value in matrices.values():
        for matrix in value if value.ndim == 3 else value[None]:
            try:
                size = None if sizes is None else int(sizes[number])
                yield _entry(matrix, size, value.ndim == 3, labeled, max_nodes)
            except Broken as reason:
                yield reason
            number += 1


def _entry(matrix: np.ndarray, size: int | None, padded: bool, labeled: bool, max_nodes: int) -> EdgeList:
    if size is not None:
        check_size(size, max_nodes)
        if size > len(matrix):
            raise Broken(f"node: {size} nodes in a matrix of {len(matrix)}")
        if matrix[size:].any() or matrix[:, size:].any():
            raise Broken(f"node: an edge behind the {size} nodes that num_nodes says")
        matrix = matrix[:size, :size]
    elif padded:
        used = np.flatnonzero(matrix.any(0) | matrix.any(1))
        stop = int(used[-1]) + 1 if len(used) else min(1, len(matrix))
        matrix = matrix[:stop, :stop]
    check_size(len(matrix), max_nodes)
    return from_matrix(matrix, None, labeled, max_nodes)


def from_matrix(
    matrix: np.ndarray, node_labels: np.ndarray | None, labeled: bool, max_nodes: int = MAX_NODES
) -> EdgeList:
    """Read a graph from its adjacency matrix.

    Parameters
    ----------
    matrix : ndarray, (n, n)
        Symmetric: 0, 1 and, where ``labeled``, other labels of edges.
    node_labels : ndarray, (n,), or None
        Labels of nodes.
    labeled : bool
        Whether entries are labels of edges; else they must be 0 and 1 and are not kept.
    max_nodes : int
        Larger graphs are refused.

    Returns
    -------
    EdgeList
        The graph.

    Raises
    ------
    Broken
        For a matrix that is not square and symmetric, has loops or other entries.
    """
    if matrix.dtype.kind == "f":
        strange = ~np.isfinite(matrix) | (matrix != np.round(matrix))
        if strange.any():
            raise Broken(f"weight: expected 0, 1 or the labels of edges, got {matrix[strange][0]:g}")
    if not np.array_equal(matrix, matrix.T):
        raise Broken("directed: the matrix is not symmetric")
    if matrix.dtype.kind != "b" and matrix.min() < 0:
        raise Broken(f"label: expected labels of edges from 0, got {matrix.min():g}")
    u, v = np.nonzero(np.triu(matrix))
    # numbers beyond int64 are cut; no label is so large
    labels = matrix[u, v].astype(np.float64).clip(max=2.0**53).astype(np.int64) if labeled else None
    return check(len(matrix), np.stack([u, v], 1), node_labels, labels, max_nodes)
