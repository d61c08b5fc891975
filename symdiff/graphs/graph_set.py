"""The graphs of a file, one record each, broken ones with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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

    Edge labels that start at 0 are counted from 1, as 0 says that there is no edge.

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
    shifted, notes = _count_from_one(place, graphs)
    return GraphSet(tuple(records), tuple(shifted), notes=notes)


def describe(graph: EdgeList) -> str:
    """A graph in a few words."""
    return f"{graph.num_nodes} nodes, {len(graph.edges)} edges"


def merge(sets: Iterable[GraphSet]) -> GraphSet:
    """The sets of several files as one; the split stays where every file has one."""
    sets = tuple(sets)
    splits = [one.split for one in sets]
    split = None if any(part is None for part in splits) else np.concatenate(splits)
    records = tuple(record for one in sets for record in one.records)
    graphs = tuple(graph for one in sets for graph in one.graphs)
    notes = tuple(dict.fromkeys(note for one in sets for note in one.notes))
    return replace(sets[0], records=records, graphs=graphs, split=split, notes=notes)


def _count_from_one(place: str, graphs: list[EdgeList | None]) -> tuple[list[EdgeList | None], tuple[str, ...]]:
    labels = [graph.edge_labels for graph in graphs if graph is not None and graph.edge_labels is not None]
    if not any(len(one) and one.min() == 0 for one in labels):
        return graphs, ()
    shifted = [graph if graph is None or graph.edge_labels is None else graph._replace(edge_labels=graph.edge_labels + 1) for graph in graphs]
    return shifted, (f"{place}: edge labels start at 0; they are read as 1, 2, ..., since 0 says that there is no edge.",)
