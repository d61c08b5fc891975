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
    """A set of graphs, one record each.

    Metrics of the readable graphs give the others as ``undecided``; shares of all records count them as failures.

    Parameters
    ----------
    records : tuple of Record
        In the order of the file; bad ones have a reason ("kind: detail").
    graphs : tuple of SimpleGraph or None
        None where a record is not readable.
    inputs : tuple of SimpleGraph or None
        The graph that each was made from, if a file says so, else empty.
    notes : tuple of str
        What to know of how files were read.
    workers : int
        Number of processes for what is worked out.
    shards : Shards, optional
        Where that is kept.
    progress : callable, optional
        Called with the name of what is worked out and the number of graphs done since its last call.
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
        """Why each record is not readable, "" where it is."""
        return tuple(record.reason for record in self.records)

    @cached_property
    def readable(self) -> tuple[SimpleGraph, ...]:
        """The graphs of the readable records."""
        return tuple(graph for graph in self.graphs if graph is not None)

    @property
    def unreadable(self) -> int:
        """Number of the records that are not readable."""
        return len(self) - len(self.readable)

    @cached_property
    def is_labeled(self) -> bool:
        """Whether any graph has labels."""
        return any(graph.is_labeled for graph in self.readable)

    @cached_property
    def descriptors(self) -> Descriptors:
        """Descriptions of the readable graphs."""
        return stack(self._each("descriptions", make_descriptor_work(self.workers)))

    @cached_property
    def hashes(self) -> np.ndarray:
        """Hashes of the canonical forms of the readable graphs with their labels, (readable,) uint64; 0: undecided."""
        return np.array(self._each("canonical forms", make_hash_work(self.workers)), np.uint64)

    @property
    def has_hash(self) -> np.ndarray:
        """Whose hash is known, (readable,) bool: only of these it is known which graphs they are."""
        return self.hashes != 0

    @cached_property
    def symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Automorphism groups of the readable graphs with their labels; None: undecided."""
        return tuple(self._each("automorphisms", make_symmetry_work("symmetry", self.workers)))

    @cached_property
    def unlabeled_symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Automorphism groups of the readable graphs without their labels."""
        if not self.is_labeled:
            return self.symmetries
        bare = [graph.remove_labels() for graph in self.readable]
        return tuple(
            self._each("automorphisms without labels", make_symmetry_work("unlabeled-symmetry", self.workers), bare)
        )

    @cached_property
    def input_symmetries(self) -> tuple[Automorphisms | None, ...]:
        """Automorphism groups of ``inputs`` with their labels; None also where one is not readable."""
        work = make_symmetry_work("input-symmetry", self.workers)
        results = iter(
            self._each("automorphisms of inputs", work, [graph for graph in self.inputs if graph is not None])
        )
        return tuple(None if graph is None else next(results) for graph in self.inputs)

    @cached_property
    def input_hashes(self) -> tuple[int | None, ...]:
        """Hashes of ``inputs`` with their labels, as ``hashes``; None where one is not readable."""
        work = make_hash_work(self.workers, "input-hashes")
        results = iter(
            self._each("canonical forms of inputs", work, [graph for graph in self.inputs if graph is not None])
        )
        return tuple(None if graph is None else int(next(results)) for graph in self.inputs)

    def knows(self, name: str) -> bool:
        """Tell whether something was worked out, since a metric asked for it.

        Parameters
        ----------
        name : str
            Name of the attribute, such as "hashes", "symmetries" or "descriptors".

        Returns
        -------
        bool
            Whether it was.
        """
        return name in vars(self)

    @cached_property
    def _rule_results(self) -> dict[str, tuple[str, ...]]:
        return {}

    def check_rule(self, rule: str) -> tuple[str, ...]:
        """Check the readable graphs against a rule.

        Parameters
        ----------
        rule : str
            A name in ``RULES``.

        Returns
        -------
        tuple of str
            For each why it breaks the rule, "" where it does not.

        Raises
        ------
        UserError
            For a rule that there is none of.
        """
        if rule not in self._rule_results:
            self._rule_results[rule] = tuple(self._each(f"rule: {rule}", make_rule_work(rule, self.workers)))
        return self._rule_results[rule]

    def find_broken(self, rule: str | None) -> tuple[str, ...]:
        """Give what ``check_rule`` gave, where a metric asked for this rule.

        Parameters
        ----------
        rule : str or None
            A name in ``RULES``.

        Returns
        -------
        tuple of str
            Only "" where no metric asked.
        """
        return self._rule_results.get(rule or "", ("",) * len(self.readable))

    def _each(self, what: str, work: Work, graphs: Sequence[SimpleGraph] | None = None) -> list:
        tell = None if self.progress is None else partial(self.progress, what)
        return work_out(work, self.readable if graphs is None else graphs, self.shards, tell)

    def select(self, which: Iterable[int]) -> Graphs:
        """Select records.

        Parameters
        ----------
        which : iterable of int
            Their numbers, from 0.

        Returns
        -------
        Graphs
            A set of its own.
        """
        which = list(which)
        inputs = tuple(self.inputs[k] for k in which) if self.inputs else ()
        return Graphs(tuple(self.records[k] for k in which), tuple(self.graphs[k] for k in which), inputs)


def from_graphs(graphs: Sequence[SimpleGraph], place: str = "list") -> Graphs:
    """Make a set of graphs that are in memory, trusted as they are.

    Parameters
    ----------
    graphs : sequence of SimpleGraph
        The graphs.
    place : str
        What stands for the name of a file.

    Returns
    -------
    Graphs
        The set.
    """
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
    """Make a set of graphs from flat arrays.

    A graph with a number out of range, a loop, a parallel edge or a negative label keeps its record and costs no other.

    Parameters
    ----------
    num_nodes : numpy.ndarray, (G,)
        Number of nodes of each graph.
    edge_ptr : numpy.ndarray, (G + 1,)
        Graph k has the edges from ``edge_ptr[k]`` to ``edge_ptr[k + 1]``.
    edges : numpy.ndarray, (E, 2)
        Pairs of numbers of nodes within the graph, each once, in either order.
    node_labels : numpy.ndarray, optional
        One a node, graph after graph.
    edge_labels : numpy.ndarray, (E,), optional
        One an edge.
    place : str
        Name of the file.

    Returns
    -------
    Graphs
        The set.

    Raises
    ------
    UserError
        Where the arrays do not belong together.
    """
    return from_set(collect(place, read_edges(num_nodes, edge_ptr, edges, node_labels, edge_labels, place)))


def from_set(contents: GraphSet) -> Graphs:
    """Make a set of the graphs that a file holds.

    Parameters
    ----------
    contents : GraphSet
        What the readers of ``symdiff.graphs`` give.

    Returns
    -------
    Graphs
        The set.
    """
    graphs, inputs = (
        tuple(None if graph is None else SimpleGraph(*graph) for graph in part)
        for part in (contents.graphs, contents.inputs)
    )
    return Graphs(contents.records, graphs, inputs, notes=contents.notes)


def summarize_graph(graph: SimpleGraph) -> str:
    """Put a graph into a few words.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.

    Returns
    -------
    str
        Numbers of nodes and edges.
    """
    return f"{graph.num_nodes} nodes, {len(graph.edges)} edges"
