"""One undirected graph without loops and parallel edges, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from symdiff.storage.records import Broken

MAX_NODES = 1_024
"""Nodes of a graph that is read without being told otherwise: spectra and canonical forms take (n, n) arrays."""
MAX_LABEL = 4_094
"""Of nodes and edges: domains have up to 4,096 kinds of labels."""


class EdgeList(NamedTuple):
    """A graph: every edge once with u < v, in order. Labels are None where there are none.

    Parameters
    ----------
    num_nodes : int
        n, at least 1.
    edges : numpy.ndarray
        (E, 2) int64.
    node_labels : numpy.ndarray or None
        (n,) int64 from 0.
    edge_labels : numpy.ndarray or None
        (E,) int64 from 1: 0 is no edge.
    """

    num_nodes: int
    edges: np.ndarray
    node_labels: np.ndarray | None = None
    edge_labels: np.ndarray | None = None


def check(
    num_nodes: int,
    edges: np.ndarray,
    node_labels: np.ndarray | None = None,
    edge_labels: np.ndarray | None = None,
    max_nodes: int = MAX_NODES,
) -> EdgeList:
    """Put the edges of a graph in order.

    Parameters
    ----------
    num_nodes : int
        n.
    edges : numpy.ndarray
        (E, 2) integers, each edge once, in either order.
    node_labels : numpy.ndarray, optional
        (n,) integers.
    edge_labels : numpy.ndarray, optional
        (E,) integers.
    max_nodes : int
        Larger graphs are refused.

    Returns
    -------
    EdgeList
        The graph.

    Raises
    ------
    Broken
        With the reason why this is none.
    """
    check_size(num_nodes, max_nodes)
    outside = (edges < 0) | (edges >= num_nodes)
    if outside.any():
        raise Broken(f"node: expected numbers from 0 to {num_nodes - 1}, got {int(edges[outside][0])}")
    edges = np.sort(edges.astype(np.int64), axis=1)
    loops = edges[:, 0] == edges[:, 1]
    if loops.any():
        raise Broken(f"loop: an edge joins node {int(edges[loops][0, 0])} to itself")
    code = edges[:, 0] * num_nodes + edges[:, 1]
    order = np.argsort(code, kind="stable")
    again = np.flatnonzero(code[order][1:] == code[order][:-1])
    if len(again):
        u, v = edges[order[again[0]]].tolist()
        raise Broken(f"parallel edges: the edge {u}-{v} is there twice")
    for labels, name in ((node_labels, "node"), (edge_labels, "edge")):
        if labels is not None and len(labels) and not (0 <= labels.min() and labels.max() <= MAX_LABEL):
            strange = labels[(labels < 0) | (labels > MAX_LABEL)][0]
            raise Broken(f"label: expected {name} labels from 0 to {MAX_LABEL}, got {int(strange)}")
    nodes = None if node_labels is None else node_labels.astype(np.int64)
    return EdgeList(
        num_nodes, edges[order], nodes, None if edge_labels is None else edge_labels.astype(np.int64)[order]
    )


def check_size(num_nodes: int, max_nodes: int = MAX_NODES) -> None:
    """Check the number of nodes of a graph, before any array of that size is made.

    Parameters
    ----------
    num_nodes : int
        The number of nodes.
    max_nodes : int
        The greatest that is allowed.

    Raises
    ------
    Broken
        For a graph without nodes or with too many.
    """
    if num_nodes < 1:
        raise Broken("empty: no node" if not num_nodes else f"size: expected 1 to {max_nodes} nodes, got {num_nodes}")
    if num_nodes > max_nodes:
        raise Broken(f"too large: {num_nodes} nodes, at most {max_nodes} are read")
