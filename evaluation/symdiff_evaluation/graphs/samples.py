"""A set of graphs, one record each, bad ones with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symdiff.errors import UserError
from symdiff_evaluation.core.records import Record
from symdiff_evaluation.core.shards import Shards, Work, done
from symdiff_evaluation.graphs.descriptors import Descriptors, stacked
from symdiff_evaluation.graphs.graph import MAX_EDGES, MAX_LABEL, MAX_NODES, Graph
from symdiff_evaluation.graphs.stored import broken_by, canonical_hashes, descriptions, symmetries
from symdiff_evaluation.graphs.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Graphs:
    """``records`` in the order of the file, and for each its graph, or None and a reason ("kind: detail"; "" where it is readable).

    Metrics of the readable graphs give the others as ``undecided``; shares of all records count them as failures. ``inputs``: the graph
    that each was made from (None where it is not readable), if a file says so; none at all otherwise. What is worked out of the graphs is
    worked out in ``workers`` processes and kept in ``shards``, if there are any; ``progress`` is called with its name and the number done since its last call.
    """

    records: tuple[Record, ...]
    graphs: tuple[Graph | None, ...]
    inputs: tuple[Graph | None, ...] = ()
    workers: int = field(default=1, repr=False)
    shards: Shards | None = field(default=None, repr=False)
    progress: Callable[[str, int], None] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(record.reason for record in self.records)

    @cached_property
    def readable(self) -> tuple[Graph, ...]:
        """The graphs without the records that are none."""
        return tuple(graph for graph in self.graphs if graph is not None)

    @property
    def unreadable(self) -> int:
        return len(self) - len(self.readable)

    @cached_property
    def labeled(self) -> bool:
        """Whether any graph has labels."""
        return any(graph.labeled for graph in self.readable)

    @cached_property
    def descriptors(self) -> Descriptors:
        """Of the readable graphs."""
        return stacked(self._each("descriptions", descriptions(self.workers)))

    @cached_property
    def hashes(self) -> np.ndarray:
        """(readable,) uint64, ``canonical_hashes`` of the readable graphs with their labels; 0 where it was not decided."""
        return np.array(self._each("canonical forms", canonical_hashes(self.workers)), np.uint64)

    @property
    def named(self) -> np.ndarray:
        """(readable,) bool, whose hash was found: only of these it is known which graphs they are."""
        return self.hashes != 0

    @cached_property
    def symmetries(self) -> tuple[Symmetry | None, ...]:
        """Of the readable graphs with their labels, None where it could not be decided."""
        return tuple(self._each("automorphisms", symmetries("symmetry", self.workers)))

    @cached_property
    def unlabeled_symmetries(self) -> tuple[Symmetry | None, ...]:
        """Of the readable graphs without their labels."""
        if not self.labeled:
            return self.symmetries
        bare = [graph.unlabeled() for graph in self.readable]
        return tuple(self._each("automorphisms without labels", symmetries("unlabeled-symmetry", self.workers), bare))

    @cached_property
    def input_symmetries(self) -> tuple[Symmetry | None, ...]:
        """Of ``inputs`` with their labels, None also where one is not readable."""
        work = symmetries("input-symmetry", self.workers)
        found = iter(self._each("automorphisms of inputs", work, [graph for graph in self.inputs if graph is not None]))
        return tuple(None if graph is None else next(found) for graph in self.inputs)

    @cached_property
    def _broken(self) -> dict[str, tuple[str, ...]]:
        return {}

    def broken(self, rule: str) -> tuple[str, ...]:
        """For each readable graph why it breaks the rule, "" where it does not. Raises ``UserError`` for a rule there is none of."""
        if rule not in self._broken:
            self._broken[rule] = tuple(self._each(f"rule: {rule}", broken_by(rule, self.workers)))
        return self._broken[rule]

    def _each(self, told: str, work: Work, graphs: Sequence[Graph] | None = None) -> list:
        tell = None if self.progress is None else lambda count: self.progress(told, count)
        return done(work, self.readable if graphs is None else graphs, self.shards, tell)

    def select(self, which: Iterable[int]) -> Graphs:
        """Those at ``which`` (numbers from 0), as a set of its own."""
        which = list(which)
        inputs = tuple(self.inputs[k] for k in which) if self.inputs else ()
        return Graphs(tuple(self.records[k] for k in which), tuple(self.graphs[k] for k in which), inputs)


def from_graphs(graphs: Sequence[Graph], place: str = "list") -> Graphs:
    """A set of graphs that are in memory, trusted as they are."""
    return Graphs(tuple(Record(place, number, told(graph), "graph") for number, graph in enumerate(graphs, 1)), tuple(graphs))


def from_edges(
    num_nodes: np.ndarray,
    edge_ptr: np.ndarray,
    edges: np.ndarray,
    node_labels: np.ndarray | None = None,
    edge_labels: np.ndarray | None = None,
    place: str = "graphs",
) -> Graphs:
    """A set of graphs from flat arrays. Raises ``UserError`` where the arrays do not belong together.

    ``num_nodes`` (G,), ``edge_ptr`` (G+1,), ``edges`` (E, 2): graph k has the edges from ``edge_ptr[k]`` to ``edge_ptr[k+1]``, pairs of
    node numbers within the graph, each once, in either order. ``node_labels``: one a node, graph after graph; ``edge_labels`` (E,).
    A graph with a number out of range, a loop, a repeated edge or a negative label keeps its record and costs no other.
    """
    num_nodes, edge_ptr, edges = (
        _integers(value, name, place) for value, name in ((num_nodes, "num_nodes"), (edge_ptr, "edge_ptr"), (edges, "edges"))
    )
    if num_nodes.ndim != 1 or edge_ptr.shape != (len(num_nodes) + 1,):
        raise UserError(f"{place}: edge_ptr: expected one entry more than num_nodes {num_nodes.shape}, got {edge_ptr.shape}")
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise UserError(f"{place}: edges: expected (edges, 2), got {edges.shape}")
    starts = None
    if node_labels is not None:
        node_labels = _integers(node_labels, "node_labels", place)
        total = int(num_nodes.sum(dtype=object)) if len(num_nodes) else 0
        if (num_nodes < 0).any() or node_labels.shape != (total,):
            raise UserError(f"{place}: node_labels: expected one for each of {total} nodes, got {node_labels.shape}")
        starts = np.concatenate([[0], np.cumsum(num_nodes)])
    if edge_labels is not None:
        edge_labels = _integers(edge_labels, "edge_labels", place)
        if edge_labels.shape != (len(edges),):
            raise UserError(f"{place}: edge_labels: expected one for each of {len(edges)} edges, got {edge_labels.shape}")
    records, graphs = [], []
    for k, (count, start, stop) in enumerate(zip(num_nodes.tolist(), edge_ptr.tolist(), edge_ptr[1:].tolist(), strict=False)):
        reason = _misplaced(count, start, stop, len(edges))
        graph = None
        if not reason:
            here = slice(start, stop)
            nodes = None if node_labels is None else node_labels[starts[k] : starts[k + 1]]
            kinds = None if edge_labels is None else edge_labels[here]
            graph, reason = judge(count, edges[here], nodes, kinds)
        records.append(Record(place, k + 1, told(graph) if graph else "", "graph", reason))
        graphs.append(graph)
    return Graphs(tuple(records), tuple(graphs))


def judge(
    num_nodes: int, edges: np.ndarray, node_labels: np.ndarray | None = None, edge_labels: np.ndarray | None = None
) -> tuple[Graph | None, str]:
    """The graph with its edges in order, or None and why it is none. ``edges`` (E, 2) integers."""
    if not 0 < num_nodes <= MAX_NODES:
        return None, f"size: expected 1 to {MAX_NODES} nodes, got {num_nodes}"
    if len(edges) > MAX_EDGES:
        return None, f"size: expected at most {MAX_EDGES} edges, got {len(edges)}"
    outside = (edges < 0) | (edges >= num_nodes)
    if outside.any():
        return None, f"node: expected numbers from 0 to {num_nodes - 1}, got {int(edges[outside][0])}"
    edges = np.sort(edges.astype(np.int64), axis=1)
    loops = edges[:, 0] == edges[:, 1]
    if loops.any():
        return None, f"loop: an edge joins node {int(edges[loops][0, 0])} to itself"
    code = edges[:, 0] * num_nodes + edges[:, 1]
    order = np.argsort(code, kind="stable")
    again = np.flatnonzero(code[order][1:] == code[order][:-1])
    if len(again):
        u, v = edges[order[again[0]]].tolist()
        return None, f"repeated: the edge {u}-{v} is there twice"
    for labels, name in ((node_labels, "node"), (edge_labels, "edge")):
        if labels is not None and len(labels) and not (0 <= labels.min() and labels.max() <= MAX_LABEL):
            strange = labels[(labels < 0) | (labels > MAX_LABEL)][0]
            return None, f"label: expected {name} labels from 0 to {MAX_LABEL}, got {int(strange)}"
    nodes = None if node_labels is None else node_labels.astype(np.int64)
    return Graph(num_nodes, edges[order], nodes, None if edge_labels is None else edge_labels.astype(np.int64)[order]), ""


def told(graph: Graph) -> str:
    """A graph in a few words."""
    return f"{graph.num_nodes} nodes, {len(graph.edges)} edges"


def _misplaced(count: int, start: int, stop: int, total: int) -> str:
    if not 0 <= start <= stop <= total:
        return f"edge_ptr: expected numbers from 0 to {total} that do not fall, got {start} and {stop}"
    return "" if 0 < count <= MAX_NODES else f"size: expected 1 to {MAX_NODES} nodes, got {count}"


def _integers(value: np.ndarray, name: str, place: str) -> np.ndarray:
    value = np.asarray(value)
    if not value.size:
        return np.zeros(value.shape, np.int64)  # nothing is of no type
    if value.dtype.kind not in "iu":
        raise UserError(f"{place}: {name}: expected integers, got {value.dtype}")
    if value.dtype == np.uint64 and value.max() > np.iinfo(np.int64).max:
        raise UserError(f"{place}: {name}: expected integers below 2^63, got {value.max()}")
    return value.astype(np.int64)
