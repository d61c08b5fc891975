"""GraphML: one document of one or more graphs."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs.edge_list import MAX_LABEL, MAX_NODES, EdgeList, check, check_size
from symdiff.graphs.graph_set import GraphSet, collect
from symdiff.storage.atomic import open_output
from symdiff.storage.boundary import reading
from symdiff.storage.files import read_text
from symdiff.storage.numbers import read_integer, show
from symdiff.storage.records import Broken

MAX_BYTES = 256 << 20
_MISSING = object()


def read_graphml(path: str | Path, max_nodes: int = MAX_NODES) -> GraphSet:
    """Read the graphs of a GraphML file.

    Parameters
    ----------
    path : str or Path
        A document, gzipped or not. The integers ``label`` of nodes and edges are their labels; other attributes are
        passed over.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    GraphSet
        Directed graphs, parallel edges and labels that are no integers are broken records.

    Raises
    ------
    UserError
        Where the document cannot be read, or holds none but directed graphs.
    """
    drawings = parse_drawings(path)
    if not drawings:
        raise UserError(f"{path}: holds no graph")
    return collect(Path(path).name, _entries(drawings, max_nodes))


def parse_drawings(path: str | Path) -> list:
    """Read the networkx graphs of a GraphML file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    list of networkx.Graph
        The graphs.

    Raises
    ------
    UserError
        Where the document cannot be read, or declares entities.
    """
    from networkx.readwrite.graphml import GraphMLReader

    text = read_text(path, MAX_BYTES)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UserError(f"{path}: GraphML with a document type or entities is not read")
    with reading(path, "GraphML"), warnings.catch_warnings():
        # a key without a type is one of strings, as the format says; what reads a label as a number checks it
        warnings.filterwarnings("ignore", "No key type", UserWarning)
        return list(GraphMLReader()(string=text))


def _entries(drawings: Sequence, max_nodes: int) -> Iterator[EdgeList | Broken]:
    for drawing in drawings:
        try:
            yield from_drawing(drawing, max_nodes)
        except Broken as reason:
            yield reason


def from_drawing(drawing, max_nodes: int = MAX_NODES) -> EdgeList:
    """Read a graph from a networkx graph, nodes in their order.

    Parameters
    ----------
    drawing : networkx.Graph
        The graph; the integers ``label`` of its nodes and edges are their labels.
    max_nodes : int
        Larger graphs are refused.

    Returns
    -------
    EdgeList
        The graph.

    Raises
    ------
    Broken
        For a graph that is directed or too large, or has loops, parallel edges or other labels.
    """
    if drawing.is_directed():
        raise Broken("directed: edges have a direction; only undirected graphs are read")
    check_size(len(drawing), max_nodes)
    place = {node: k for k, node in enumerate(drawing)}
    edges = np.array([(place[u], place[v]) for u, v in drawing.edges()], np.int64).reshape(-1, 2)
    nodes = _labels([data.get("label", _MISSING) for _, data in drawing.nodes(data=True)], "node", 0)
    kinds = _labels([data.get("label", _MISSING) for _, _, data in drawing.edges(data=True)], "edge", 1)
    return check(len(drawing), edges, nodes, kinds, max_nodes)


def _labels(values: list, what: str, missing: int) -> np.ndarray | None:
    """The labels of all nodes or all edges, those that have none told by ``missing``.

    None where none has one. Raises Broken.
    """
    if all(value is _MISSING for value in values):
        return None
    return read_labels([missing if value is _MISSING else value for value in values], what)


def read_labels(values: list, what: str) -> np.ndarray:
    """Read the labels of all nodes or all edges.

    Parameters
    ----------
    values : list
        Integers, or text of such.
    what : str
        "node" or "edge", for messages.

    Returns
    -------
    ndarray, (n,) int64
        The labels.

    Raises
    ------
    Broken
        For a label that is no whole number in range.
    """
    numbers = np.zeros(len(values), np.int64)
    for k, value in enumerate(values):
        try:
            numbers[k] = read_integer(value, 0, MAX_LABEL)
        except UserError:
            raise Broken(
                f"label: expected a whole number from 0 to {MAX_LABEL} as every {what} label, got {show(value)}"
            ) from None
    return numbers


def write_graphml(drawings: Iterable, path: str | Path) -> None:
    """Write networkx graphs as one GraphML document; no more than one of them is kept in memory.

    Parameters
    ----------
    drawings : iterable of networkx.Graph
        The graphs.
    path : str or Path
        The file.
    """
    from xml.etree.ElementTree import Element, tostring

    from networkx.readwrite.graphml import GraphMLWriter

    writer = GraphMLWriter(encoding="utf-8", prettyprint=True)
    with tempfile.TemporaryFile(dir=Path(path).parent) as body, open_output(path) as output:
        for place, drawing in enumerate(drawings):
            writer.add_graph_element(drawing)
            writer.attributes.clear()  # or networkx writes those of all graphs so far once more
            element = writer.xml[-1]
            writer.indent(element, 1)
            element.tail = None
            body.write((b"\n  " if place else b"") + tostring(element, "utf-8", xml_declaration=False))
            writer.xml.remove(element)
        if body.tell():
            # where they belong: behind the keys of all graphs, which are known only now
            writer.xml.append(Element("graphs"))
        buffer = io.BytesIO()
        writer.dump(buffer)
        before, _, after = buffer.getvalue().partition(b"<graphs />")
        output(before)
        body.seek(0)
        while content := body.read(1 << 20):
            output(content)
        output(after)
