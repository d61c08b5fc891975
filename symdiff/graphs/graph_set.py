"""The graphs of a file, one record each, broken ones with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs.edge_list import EdgeList
from symdiff.storage.records import Record

_OF_THE_FILE = ("directed", "label", "weight")
"""Reasons that, where every record has them, say that the file is of another kind."""


@dataclass(frozen=True, eq=False)
class GraphSet:
    """``records`` in the order of the file, and for each its graph: None where the record says why there is none.

    Parameters
    ----------
    records : tuple of Record
        Of the form "graph".
    graphs : tuple of EdgeList or None
        As many.
    split : numpy.ndarray or None
        (G,) uint8, 0 for training, 1 for validation, 2 for test, where the file says so.
    inputs : tuple of EdgeList or None
        The graph that each was made from, where the file says so; else empty.
    notes : tuple of str
        What to know of how the file was read.
    """

    records: tuple[Record, ...]
    graphs: tuple[EdgeList | None, ...]
    split: np.ndarray | None = None
    inputs: tuple[EdgeList | None, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)


def collect(place: str, entries: Iterable[EdgeList | UserError]) -> GraphSet:
    """Make a set of what a reader yields: graphs, and the reason in place of each that is broken.

    Edge labels that start at 0 are counted from 1, as 0 says that there is no edge. Where some graphs have labels and
    others have none, the labels of the others are 0 for nodes and 1 for edges.

    Parameters
    ----------
    place : str
        The name of the file.
    entries : iterable of EdgeList or UserError
        A graph, or why it is broken, for every record.

    Returns
    -------
    GraphSet
        All records, numbered from 1.

    Raises
    ------
    UserError
        Where all records are broken in a way that tells another kind of file, such as one of directed graphs.
    """
    records, graphs = [], []
    for number, entry in enumerate(entries, 1):
        graph = entry if isinstance(entry, EdgeList) else None
        records.append(Record(place, number, describe(graph) if graph else "", "graph", "" if graph else str(entry)))
        graphs.append(graph)
    kinds = {record.reason.partition(":")[0] for record in records}
    if records and len(kinds) == 1 and kinds <= set(_OF_THE_FILE):
        raise UserError(f"{place}: no graph can be read: {records[0].reason}")
    notes = ()
    if any(
        graph and graph.edge_labels is not None and len(graph.edge_labels) and not graph.edge_labels.min()
        for graph in graphs
    ):
        graphs = [
            graph and graph._replace(edge_labels=None if graph.edge_labels is None else graph.edge_labels + 1)
            for graph in graphs
        ]
        notes = (f"{place}: edge labels start at 0; they are read as 1, 2, ..., since 0 says that there is no edge.",)
    return GraphSet(tuple(records), tuple(_fill(graphs)), notes=notes)


def _fill(graphs: list[EdgeList | None]) -> Iterator[EdgeList | None]:
    nodes = any(graph is not None and graph.node_labels is not None for graph in graphs)
    edges = any(graph is not None and graph.edge_labels is not None for graph in graphs)
    for graph in graphs:
        if graph is not None and nodes and graph.node_labels is None:
            graph = graph._replace(node_labels=np.zeros(graph.num_nodes, np.int64))
        if graph is not None and edges and graph.edge_labels is None:
            graph = graph._replace(edge_labels=np.ones(len(graph.edges), np.int64))
        yield graph


def describe(graph: EdgeList) -> str:
    """Describe a graph in a few words.

    Parameters
    ----------
    graph : EdgeList
        The graph.

    Returns
    -------
    str
        The numbers of nodes and edges.
    """
    return f"{graph.num_nodes} nodes, {len(graph.edges)} edges"


def merge(sets: Iterable[GraphSet]) -> GraphSet:
    """Join the sets of several files; split and inputs are kept where every file has them.

    Parameters
    ----------
    sets : iterable of GraphSet
        The sets.

    Returns
    -------
    GraphSet
        All of their records and graphs, in order.
    """
    sets = tuple(sets)
    splits = [one.split for one in sets if one.split is not None]
    return GraphSet(
        tuple(record for one in sets for record in one.records),
        tuple(_fill([graph for one in sets for graph in one.graphs])),
        np.concatenate(splits) if len(splits) == len(sets) else None,
        tuple(graph for one in sets for graph in one.inputs) if all(one.inputs for one in sets) else (),
        tuple(dict.fromkeys(note for one in sets for note in one.notes)),
    )
