"""Graphs in edge-list files -> a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from symdiff.data.columns import PropertyColumns, read_attributes
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings, imports
from symdiff.data.molecules import digests, split_by_content
from symdiff.data.parsing import count_reasons, first_reasons
from symdiff.domains.arrays import pack
from symdiff.domains.graph import Graph
from symdiff.errors import UserError
from symdiff.graphs.edge_list import MAX_NODES, EdgeList
from symdiff.graphs.files import read_graphs
from symdiff.graphs.graph_set import GraphSet, merge


def graphs(
    graph_set: GraphSet, meta: Mapping, max_nodes: int = MAX_NODES, columns: PropertyColumns | None = None
) -> Dataset:
    """A data set of the graphs of files.

    Parameters
    ----------
    graph_set : GraphSet
        Broken records are left out and counted by the kind of their reason.
    meta : mapping
        What ``dataset.json`` says beside that.
    max_nodes : int
        Of the domain, which has the labels that the graphs have.
    columns : PropertyColumns, optional
        The properties of all records.

    Returns
    -------
    Dataset
        In memory. Its split is that of the files, or one by content.
    """
    sound = [graph for graph in graph_set.graphs if graph is not None]
    domain = _domain(sound, max_nodes)
    arrays = pack([domain.codec.record_of(graph) for graph in sound], domain.schema)
    marks = digests(arrays, domain.schema)
    valid = np.array([graph is not None for graph in graph_set.graphs], bool)
    arrays["split"] = (
        split_by_content(marks) if graph_set.split is None else np.asarray(graph_set.split, np.uint8)[valid]
    )
    reasons = [record.reason for record in graph_set.records]
    report = {
        "rows": len(graph_set),
        "left_out": {**meta.get("left_out", {}), **count_reasons(reasons)},
        "examples": first_reasons(
            (f"{record.file}, record {record.number}", record.reason) for record in graph_set.records
        ),
        "notes": list(graph_set.notes),
        "duplicates": len(marks) - len(set(marks)),
    }
    if columns is not None and columns.asked:
        domain, arrays, missing = columns.join(domain, arrays, valid)
        report |= missing
    return Dataset.from_arrays(domain, arrays, {"order": "source", **meta, **report})


@imports("graph")
def import_graphs(paths: Sequence[Path], meta: Mapping, settings: ImportSettings) -> Dataset:
    """Make a data set of files of graphs.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    meta : mapping
        What the data set says of itself.
    settings : ImportSettings
        Of which ``max_nodes`` is used.

    Returns
    -------
    Dataset
        As ``graphs`` returns it.

    Raises
    ------
    UserError
        For a file that cannot be read, and files without graphs.
    """
    graph_set = merge(read_graphs(path, settings.max_nodes) for path in paths)
    if not len(graph_set):
        raise UserError(f"{paths[0]}: no graphs")
    columns = PropertyColumns(settings.properties)
    return graphs(take_values(graph_set, paths, columns), meta, settings.max_nodes, columns)


def take_values(graph_set: GraphSet, paths: Sequence[Path], columns: PropertyColumns) -> GraphSet:
    """Take the properties of graphs, and leave out those of which a property is no number.

    Parameters
    ----------
    graph_set : GraphSet
        Of all files.
    paths : sequence of Path
        The files.
    columns : PropertyColumns
        Takes the values of every record.

    Returns
    -------
    GraphSet
        With a reason in place of every graph that is left out.

    Raises
    ------
    UserError
        For a file without them.
    """
    if not columns.asked:
        return graph_set
    rows = []
    for path in paths:
        values = read_attributes(path, columns.columns)
        if values is None:
            raise UserError(f"{path}: a file of this kind has no properties; GraphML and arrays have")
        rows += values
    if len(rows) != len(graph_set):
        raise UserError(f"{paths[0]}: {columns.columns[0]}: expected {len(graph_set)} values, got {len(rows)}")
    records, sound = list(graph_set.records), list(graph_set.graphs)
    for place, reason in enumerate(columns.take_all(rows)):
        if reason and not records[place].reason:
            records[place], sound[place] = replace(records[place], reason=reason), None
    return replace(graph_set, records=tuple(records), graphs=tuple(sound))


def _domain(graphs: Sequence[EdgeList], max_nodes: int) -> Graph:
    nodes = [int(graph.node_labels.max()) for graph in graphs if graph.node_labels is not None]
    edges = [
        int(graph.edge_labels.max()) for graph in graphs if graph.edge_labels is not None and len(graph.edge_labels)
    ]
    return Graph(1 + max(nodes, default=0), 1 + max(edges, default=1), max_nodes)
