"""Graphs in memory: networkx graphs, adjacency matrices, or flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.boundary import describe
from symdiff.storage.records import Record
from symdiff_evaluation.graphs.read import from_columns
from symdiff_evaluation.graphs.samples import Graphs, from_edges

LABEL = "label"
"""The attribute of nodes and edges that holds their labels, whole numbers from 0; used where all have it."""


def accept(structures: Iterable[Any] | Mapping[str, np.ndarray], place: str = "list") -> Graphs:
    """Make a set of structures in memory.

    Parameters
    ----------
    structures : iterable, or mapping of str to numpy.ndarray
        networkx graphs, adjacency matrices (n, n) of zeros and ones, or the arrays of a file. What is no undirected
        graph is a broken record.
    place : str
        What stands for the name of a file.

    Returns
    -------
    Graphs
        In the order of the structures.

    Raises
    ------
    UserError
        For arrays that do not fit together.
    """
    if isinstance(structures, Mapping):
        return from_columns({name: np.asarray(array) for name, array in structures.items()}, place)
    records, graphs = [], []
    for number, structure in enumerate(structures, 1):
        try:
            one = _read(structure)
            record, graph = one.records[0], one.graphs[0]
        except Exception as error:  # a library raises whatever a graph leads it to: it costs this record, and no other
            reason = str(error) if isinstance(error, UserError) else f"error: {describe(error)}"
            record, graph = Record(place, number, "", "graph", reason), None
        records.append(replace(record, file=place, number=number))
        graphs.append(graph)
    return Graphs(tuple(records), tuple(graphs))


def _read(structure: Any) -> Graphs:
    if structure is None:
        raise UserError("empty: no graph")
    if hasattr(structure, "adjacency"):  # networkx's graphs
        return _from_networkx(structure)
    matrix = np.asarray(structure)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "biuf":
        raise UserError(f"graph: expected an adjacency matrix (n, n), got {matrix.dtype} {matrix.shape}")
    if not np.isin(matrix, (0, 1)).all():
        raise UserError("graph: expected an adjacency matrix of zeros and ones")
    if (matrix != matrix.T).any():
        raise UserError("directed: the adjacency matrix is not symmetric")
    edges = np.argwhere(np.triu(matrix))
    return from_edges(np.array([len(matrix)]), np.array([0, len(edges)]), edges)


def _from_networkx(graph: Any) -> Graphs:
    if graph.is_directed():
        raise UserError("directed: an arc is no edge")
    place = {node: k for k, node in enumerate(graph)}
    edges = np.array([(place[i], place[j]) for i, j in graph.edges()], np.int64).reshape(-1, 2)
    return from_edges(
        np.array([len(place)]),
        np.array([0, len(edges)]),
        edges,
        _labels([label for _, label in graph.nodes(data=LABEL)]),
        _labels([label for *_, label in graph.edges(data=LABEL)]),
    )


def _labels(labels: list[Any]) -> np.ndarray | None:
    return np.array(labels) if labels and all(isinstance(label, int | np.integer) for label in labels) else None
