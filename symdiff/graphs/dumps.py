"""Graphs as DiGress writes its samples: text with the number of nodes, their labels, and the matrix of the labels of
edges.

References
----------
DiGress: Vignac, Krawczuk, Siraudin, Wang, Cevher, Frossard, ICLR 2023; ``generated_samples*.txt`` of
https://github.com/cvignac/DiGress
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs.adjacency import from_matrix
from symdiff.graphs.edge_list import MAX_LABEL, MAX_NODES, EdgeList, check_size
from symdiff.graphs.graph_set import GraphSet, collect
from symdiff.storage.files import lines, open_text
from symdiff.storage.numbers import read_integer, show
from symdiff.storage.records import Broken

_LABELS = (
    "labels of nodes are numbers here; --atoms with what they stand for, such as C,N,O,F, reads the graphs as "
    "molecules."
)
_CHARACTERS = 8  # of one label and the space behind it


def begins_dump(head: Sequence[str]) -> bool:
    """Tell whether lines are the beginning of such a file: ``N=`` and a number, then ``X:``.

    Parameters
    ----------
    head : sequence of str
        The first lines; empty ones are passed over.

    Returns
    -------
    bool
        Whether they are.
    """
    head = [line.strip() for line in head if line.strip()]
    return len(head) > 1 and head[0].startswith("N=") and head[0][2:].strip().isdecimal() and head[1].startswith("X:")


def read_dump(path: str | Path, max_nodes: int = MAX_NODES) -> GraphSet:
    """Read graphs from DiGress's text.

    Each has ``N=n``, ``X:`` and n labels of nodes, ``E:`` and n lines of n labels of edges.

    Parameters
    ----------
    path : str or Path
        The file, gzipped or not.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    GraphSet
        Nodes have labels where any of them is not 0, edges where any is above 1.

    Raises
    ------
    UserError
        Where the file cannot be read.
    """
    labeled = _Labels()
    entries = list(_entries(path, max_nodes, labeled))
    graph_set = collect(Path(path).name, (_strip(entry, labeled) for entry in entries))
    return replace(graph_set, notes=(*graph_set.notes, f"{Path(path).name}: {_LABELS}")) if labeled.nodes else graph_set


@dataclass
class _Labels:
    nodes: bool = False
    edges: bool = False


def _strip(entry: EdgeList | Broken, labeled: _Labels) -> EdgeList | Broken:
    if not isinstance(entry, EdgeList):
        return entry
    return entry._replace(
        node_labels=entry.node_labels if labeled.nodes else None,
        edge_labels=entry.edge_labels if labeled.edges else None,
    )


@dataclass
class _Block:
    """The lines of one graph: ``size`` as they say it, the words behind ``X:`` and behind ``E:``."""

    size: str
    nodes: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    part: list[str] | None = None
    reason: str = ""


def _entries(path: str | Path, max_nodes: int, labeled: _Labels) -> Iterator[EdgeList | Broken]:
    for block in _blocks(path, max_nodes):
        try:
            graph = _graph(block, max_nodes)
        except Broken as reason:
            yield reason
            continue
        assert graph.node_labels is not None and graph.edge_labels is not None  # such a file has both
        labeled.nodes = labeled.nodes or bool(graph.node_labels.any())
        labeled.edges = labeled.edges or bool((graph.edge_labels > 1).any())
        yield graph


def _blocks(path: str | Path, max_nodes: int) -> Iterator[_Block]:
    longest = max(1 << 16, _CHARACTERS * max_nodes)
    block: _Block | None = None
    with open_text(path) as stream:
        for line, cut in lines(stream, longest):
            text = line.strip()
            if text.startswith("N="):
                if block is not None:
                    yield block
                block = _Block(text[2:])
                continue
            if not text:
                continue
            if block is None:
                raise UserError(f"{path}: expected N= and a number of nodes, got {show(text)}")
            if text[:2] in ("X:", "E:"):
                block.part, text = block.nodes if text[0] == "X" else block.edges, text[2:]
            if block.part is None or cut:
                block.reason = block.reason or f"syntax: expected X: or E:, got {show(text)}"
            elif len(block.part) <= max_nodes**2:
                block.part += text.split()
    if block is not None:
        yield block


def _graph(block: _Block, max_nodes: int) -> EdgeList:
    if block.reason:
        raise Broken(block.reason)
    try:
        size = read_integer(block.size)
    except UserError as error:
        raise Broken(f"syntax: N: {error}") from error
    check_size(size, max_nodes)
    for name, words, expected in (("X", block.nodes, size), ("E", block.edges, size * size)):
        if len(words) != expected:
            raise Broken(f"syntax: {name}: expected {expected} labels for {size} nodes, got {len(words)}")
    nodes, edges = (_labels(words, name) for words, name in ((block.nodes, "X"), (block.edges, "E")))
    return from_matrix(edges.reshape(size, size), nodes, True, max_nodes)


def _labels(words: Sequence[str], name: str) -> np.ndarray:
    values = {}
    for word in set(words):
        try:
            values[word] = read_integer(word, 0, MAX_LABEL)
        except UserError as error:
            raise Broken(f"label: {name}: {error}") from error
    return np.array([values[word] for word in words], np.int64)
