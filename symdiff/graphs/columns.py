"""Graphs as flat arrays: the edges of all of them one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs.edge_list import MAX_NODES, EdgeList, check, check_size
from symdiff.graphs.graph_set import GraphSet, collect
from symdiff.storage.records import Broken
from symdiff.storage.splits import read_splits

NEEDED = ("num_nodes", "edge_ptr", "edges")
INPUT = "input_"


def read_columns(arrays: Mapping[str, np.ndarray], place: str, max_nodes: int = MAX_NODES) -> GraphSet:
    """Read graphs from flat arrays of edges.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        ``num_nodes`` (G,), ``edge_ptr`` (G + 1,) and ``edges`` (E, 2): graph k has the edges from ``edge_ptr[k]`` to
        ``edge_ptr[k + 1]``, pairs of node numbers within the graph, each once, in either order. Perhaps ``node_label``,
        one a node, graph after graph, ``edge_label`` (E,), ``split`` (G,), and with ``input_`` in front the graphs that
        they were made from. Other arrays are passed over.
    place : str
        The name of the file.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    GraphSet
        A graph with a number out of range, a loop, a parallel edge or a negative label keeps its record and costs no
        other.

    Raises
    ------
    UserError
        Where the arrays do not belong together.
    """
    graph_set = _read(arrays, place, "", max_nodes)
    split = read_splits(arrays["split"], len(graph_set), place) if "split" in arrays else None
    if not any(f"{INPUT}{name}" in arrays for name in NEEDED):
        return replace(graph_set, split=split)
    inputs = _read(arrays, place, INPUT, max_nodes)
    if len(inputs) != len(graph_set):
        raise UserError(
            f"{place}: {INPUT}num_nodes: expected one for each of {len(graph_set)} graphs, got {len(inputs)}"
        )
    return replace(graph_set, split=split, inputs=inputs.graphs)


def _read(arrays: Mapping[str, np.ndarray], place: str, front: str, max_nodes: int) -> GraphSet:
    wanted = [front + name for name in NEEDED]
    if any(name not in arrays for name in wanted):
        raise UserError(
            f"{place}: expected the arrays {', '.join(wanted[:-1])} and {wanted[-1]}, got "
            f"{', '.join(arrays)[:100] or 'none'}"
        )
    labels = (arrays.get(f"{front}node_label"), arrays.get(f"{front}edge_label"))
    num_nodes, edge_ptr, edges = (arrays[name] for name in wanted)
    return collect(place, read_edges(num_nodes, edge_ptr, edges, *labels, place, max_nodes))


def read_edges(
    num_nodes: np.ndarray,
    edge_ptr: np.ndarray,
    edges: np.ndarray,
    node_labels: np.ndarray | None = None,
    edge_labels: np.ndarray | None = None,
    place: str = "graphs",
    max_nodes: int = MAX_NODES,
) -> Iterator[EdgeList | Broken]:
    """Read graphs from flat arrays.

    Parameters
    ----------
    num_nodes : ndarray, (G,) integers
        The number of nodes of every graph.
    edge_ptr : ndarray, (G + 1,) integers
        Where the edges of every graph begin, and the end.
    edges : ndarray, (E, 2) integers
        Pairs of node numbers within the graph.
    node_labels : ndarray, optional
        Integers, one a node, graph after graph.
    edge_labels : ndarray, (E,) integers, optional
        One an edge.
    place : str
        The name of the file, for messages.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    iterator of EdgeList or Broken
        For every graph its edge list, or why it is none.

    Raises
    ------
    UserError
        Where the arrays do not belong together.
    """
    num_nodes, edge_ptr, edges = (
        _integers(value, name, place)
        for value, name in ((num_nodes, "num_nodes"), (edge_ptr, "edge_ptr"), (edges, "edges"))
    )
    if num_nodes.ndim != 1 or edge_ptr.shape != (len(num_nodes) + 1,):
        raise UserError(
            f"{place}: edge_ptr: expected one entry more than num_nodes {num_nodes.shape}, got {edge_ptr.shape}"
        )
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise UserError(f"{place}: edges: expected (edges, 2), got {edges.shape}")
    if edge_ptr[0] != 0 or edge_ptr[-1] != len(edges):
        raise UserError(
            f"{place}: edge_ptr: expected numbers from 0 to {len(edges)}, the number of edges, got {edge_ptr[0]} to "
            f"{edge_ptr[-1]}"
        )
    starts = None
    if node_labels is not None:
        node_labels = _integers(node_labels, "node_label", place)
        total = int(num_nodes.sum(dtype=object)) if len(num_nodes) else 0
        if (num_nodes < 0).any() or node_labels.shape != (total,):
            raise UserError(f"{place}: node_label: expected one for each of {total} nodes, got {node_labels.shape}")
        starts = np.concatenate([[0], np.cumsum(num_nodes)])
    if edge_labels is not None:
        edge_labels = _integers(edge_labels, "edge_label", place)
        if edge_labels.shape != (len(edges),):
            raise UserError(
                f"{place}: edge_label: expected one for each of {len(edges)} edges, got {edge_labels.shape}"
            )
    pieces = zip(num_nodes.tolist(), edge_ptr[:-1].tolist(), edge_ptr[1:].tolist(), strict=True)
    return _pieces(pieces, edges, starts, node_labels, edge_labels, max_nodes)


def _pieces(pieces, edges, starts, node_labels, edge_labels, max_nodes) -> Iterator[EdgeList | Broken]:
    for k, (count, start, stop) in enumerate(pieces):
        try:
            if not 0 <= start <= stop <= len(edges):
                raise Broken(
                    f"edge_ptr: expected numbers from 0 to {len(edges)} that do not fall, got {start} and {stop}"
                )
            check_size(count, max_nodes)
            here = slice(start, stop)
            nodes = None if node_labels is None else node_labels[starts[k] : starts[k + 1]]
            yield check(count, edges[here], nodes, None if edge_labels is None else edge_labels[here], max_nodes)
        except Broken as reason:
            yield reason


def _integers(value: np.ndarray, name: str, place: str) -> np.ndarray:
    value = np.asarray(value)
    if not value.size:
        return np.zeros(value.shape, np.int64)  # nothing is of no type
    if value.dtype.kind not in "iu":
        raise UserError(f"{place}: {name}: expected integers, got {value.dtype}")
    if value.dtype == np.uint64 and value.max() > np.iinfo(np.int64).max:
        raise UserError(f"{place}: {name}: expected integers below 2^63, got {value.max()}")
    return value.astype(np.int64)
