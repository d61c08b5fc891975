"""A set of graphs, one record each, bad ones with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from symdiff.graphs.columns import read_edges
from symdiff.graphs.graph_set import GraphSet, collect
from symdiff.storage.records import Record
from symdiff_evaluation.core.shards import Shards, Work, work_out
from symdiff_evaluation.graphs.descriptors import Descriptors, stack
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.symmetry import Automorphisms
from symdiff_evaluation.graphs.works import make_descriptor_work, make_hash_work, make_rule_work, make_symmetry_work


@dataclass(frozen=True, eq=False)
class Graphs:
    """``records`` in the order of the file, and for each its graph, or None and a reason ("kind: detail"; "" where it
    is readable).

    Metrics of the readable graphs give the others as ``undecided``; shares of all records count them as failures.
    ``inputs``: the graph that each was made from (None where it is not readable), if a file says so; none at all
    otherwise. ``notes``: what to know of how files were read. What is worked out of the graphs is worked out in
    ``workers`` processes and kept in ``shards``, if there are any; ``progress`` is called with its name and the number
    done since its last call.
    """

    records: tuple[Record, ...]
    graphs: tuple[SimpleGraph | None, ...]
    inputs: tuple[SimpleGraph | None, ...] = ()
    notes: tuple[str, ...] = ()
    workers: int = field(default=1, repr=False)
    shards: Shards | None = field(default=None, repr=False)
    progress: Callable[[str, int], None] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(record.reason for record in self.records)

    @cached_property
    def readable(self) -> tuple[SimpleGraph, ...]:
        """The graphs without the records that are none."""
        return tuple(graph for graph in self.graphs if graph is not None)

    @property
    def unreadable(self) -> int:
        return len(self) - len(self.readable)

    @cached_property
    def is_labeled(self) -> bool:
        """Whether any graph has labels."""
        return any(graph.is_labeled for graph in self.readable)

    @cached_property
    def descriptors(self) -> Descriptors:
        """Of the readable graphs."""
        return stack(self._each("descriptions", make_descriptor_work(self.workers)))

    @cached_property
    def hashes(self) -> np.ndarray:
        """(readable,) uint64, ``make_hash_work`` of the readable graphs with their labels.

        0 where it was not decided.
        """
        return np.array(self._each("canonical forms", make_hash_work(self.workers)), np.uint64)

    @property
    def has_hash(self) -> np.ndarray:
        """(readable,) bool, whose hash was found: only of these it is known which graphs they are."""
        return self.hashes != 0

    @cached_property
    def symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Of the readable graphs with their labels, None where it could not be decided."""
        return tuple(self._each("automorphisms", make_symmetry_work("symmetry", self.workers)))

    @cached_property
    def unlabeled_symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Of the readable graphs without their labels."""
        if not self.is_labeled:
            return self.symmetries
        bare = [graph.remove_labels() for graph in self.readable]
        return tuple(
            self._each("automorphisms without labels", make_symmetry_work("unlabeled-symmetry", self.workers), bare)
        )

    @cached_property
    def input_symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Of ``inputs`` with their labels, None also where one is not readable."""
        work = make_symmetry_work("input-symmetry", self.workers)
        found = iter(self._each("automorphisms of inputs", work, [graph for graph in self.inputs if graph is not None]))
        return tuple(None if graph is None else next(found) for graph in self.inputs)

    @cached_property
    def input_hashes(self) -> tuple[int | None, ...]:
        """Of ``inputs`` with their labels, as ``hashes``; None where one is not readable."""
        work = make_hash_work(self.workers, "input-hashes")
        found = iter(
            self._each("canonical forms of inputs", work, [graph for graph in self.inputs if graph is not None])
        )
        return tuple(None if graph is None else int(next(found)) for graph in self.inputs)

    def knows(self, name: str) -> bool:
        """Whether "hashes", "symmetries", "descriptors" or the like was worked out, since a metric asked for it."""
        return name in vars(self)

    @cached_property
    def _broken(self) -> dict[str, tuple[str, ...]]:
        return {}

    def check_rule(self, rule: str) -> tuple[str, ...]:
        """For each readable graph why it breaks the rule, "" where it does not.

        Raises ``UserError`` for a rule there is none of.
        """
        if rule not in self._broken:
            self._broken[rule] = tuple(self._each(f"rule: {rule}", make_rule_work(rule, self.workers)))
        return self._broken[rule]

    def find_broken(self, rule: str | None) -> tuple[str, ...]:
        """The same, where a metric asked for this rule; else that no graph breaks it."""
        return self._broken.get(rule or "", ("",) * len(self.readable))

    def _each(self, what: str, work: Work, graphs: Sequence[SimpleGraph] | None = None) -> list:
        tell = None if self.progress is None else partial(self.progress, what)
        return work_out(work, self.readable if graphs is None else graphs, self.shards, tell)

    def select(self, which: Iterable[int]) -> Graphs:
        """Those at ``which`` (numbers from 0), as a set of its own."""
        which = list(which)
        inputs = tuple(self.inputs[k] for k in which) if self.inputs else ()
        return Graphs(tuple(self.records[k] for k in which), tuple(self.graphs[k] for k in which), inputs)


def from_graphs(graphs: Sequence[SimpleGraph], place: str = "list") -> Graphs:
    """A set of graphs that are in memory, trusted as they are."""
    return Graphs(
        tuple(Record(place, number, summarize_graph(graph), "graph") for number, graph in enumerate(graphs, 1)),
        tuple(graphs),
    )


def from_edges(
    num_nodes: np.ndarray,
    edge_ptr: np.ndarray,
    edges: np.ndarray,
    node_labels: np.ndarray | None = None,
    edge_labels: np.ndarray | None = None,
    place: str = "graphs",
) -> Graphs:
    """A set of graphs from flat arrays. Raises ``UserError`` where the arrays do not belong together.

    ``num_nodes`` (G,), ``edge_ptr`` (G+1,), ``edges`` (E, 2): graph k has the edges from ``edge_ptr[k]`` to
    ``edge_ptr[k+1]``, pairs of node numbers within the graph, each once, in either order. ``node_labels``: one a node,
    graph after graph; ``edge_labels`` (E,). A graph with a number out of range, a loop, a parallel edge or a negative
    label keeps its record and costs no other.
    """
    return from_set(collect(place, read_edges(num_nodes, edge_ptr, edges, node_labels, edge_labels, place)))


def from_set(found: GraphSet) -> Graphs:
    """A set of the graphs that a file holds."""
    graphs, inputs = (
        tuple(None if graph is None else SimpleGraph(*graph) for graph in part) for part in (found.graphs, found.inputs)
    )
    return Graphs(found.records, graphs, inputs, notes=found.notes)


def summarize_graph(graph: SimpleGraph) -> str:
    """A graph in a few words."""
    return f"{graph.num_nodes} nodes, {len(graph.edges)} edges"
