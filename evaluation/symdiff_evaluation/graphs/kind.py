"""Graphs with or without labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from symdiff.domains.graph import Graph as Domain
from symdiff.errors import UserError
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.kind import Kind, StructureSet, check_pairs, write_truth
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.page import PageSection
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.core.storage import list_shipped, read_files, unreadable, write_files
from symdiff_evaluation.graphs import page as pages
from symdiff_evaluation.graphs.accept import accept
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.metrics import METRICS
from symdiff_evaluation.graphs.read import ENDINGS, read, read_splits
from symdiff_evaluation.graphs.reference import GraphReference, build, from_arrays
from symdiff_evaluation.graphs.samples import Graphs as Set
from symdiff_evaluation.graphs.samples import from_graphs
from symdiff_evaluation.graphs.validity import RULES


class GraphKind(Kind[Set, GraphReference]):
    """Their file is one of arrays or GraphML; the reference tells the rule that makes a graph valid."""

    name = "graph"
    of = "graphs"
    endings = ENDINGS
    derives = True
    columns = ("nodes", "edges", "valid", "reason", "automorphisms", "unique", "novel")
    headline = {
        "validity": "valid",
        "uniqueness": "unique",
        "novelty": "novel",
        "vun": "all three",
        "mmd.ratio": "MMD over training's",
        "pgd": "PGD",
        "symmetry.asymmetric_share": "asymmetric",
    }
    about = (
        "Two graphs are the same when an isomorphism carries labels to labels. Distances are squared MMD to the test "
        "graphs, biased with the"
        " kernels as published and unbiased beside them. Intervals are 95 %: Wilson's for shares, the jackknife's for "
        "MMD."
    )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return METRICS

    def accept(
        self,
        structures: Any,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Set:
        samples = accept(structures)
        return replace(samples, workers=execution.workers, progress=execution.report_stages(len(samples.readable)))

    def summarize(self, samples: Set, name: str, metrics: Sequence[str], workers: int = 1) -> GraphReference:
        return build(replace(samples, workers=workers), None, "any", name, "")

    def read(
        self,
        files: SampleFiles,
        execution: Execution = ALONE,
        metrics: Sequence[str] | None = None,
    ) -> Set:
        sets = [read(file) for file in files]
        inputs_told = [bool(one.inputs) for one in sets]
        if any(inputs_told) and not all(inputs_told):
            raise UserError(
                f"{files[inputs_told.index(False)]}: expected the arrays input_num_nodes, input_edge_ptr and "
                "input_edges, as in the other files"
            )
        parts = zip(*((one.records, one.graphs, one.inputs, one.notes) for one in sets), strict=True)
        records, graphs, inputs, notes = (tuple(chain.from_iterable(part)) for part in parts)
        report = execution.report_stages(sum(graph is not None for graph in graphs))
        return Set(records, graphs, inputs, notes, execution.workers, execution.shards, report)

    def find_reference(self, name: str, metrics: Sequence[str], workers: int = 1) -> GraphReference:
        """A shipped one, one that ``write_reference`` wrote, or a file of graphs, whose name says the rule (planar,
        tree, ...)."""
        path = Path(name)
        if name in list_shipped(self.name) or path.suffix == ".json" or not path.is_file():
            return load_reference(name)
        if path.suffix == ".safetensors" and path.with_suffix(".json").is_file():
            return load_reference(name)
        train, test = read_splits(path)
        rule = path.name.split(".")[0]
        test = None if test is None else replace(test, workers=workers)
        return build(replace(train, workers=workers), test, rule if rule in RULES else "any", rule, name)

    def derive(
        self,
        dataset: StructureSet,
        name: str,
        metrics: Sequence[str],
        execution: Execution = ALONE,
    ) -> GraphReference:
        """Of its training split, and its test split where it has one."""
        if not isinstance(dataset.domain, Domain):
            raise UserError(f"{name}: expected a data set of graphs, got one of {type(dataset.domain).__name__}")
        test = _graphs_of(dataset, "test", name) if dataset.meta["splits"].get("test") else None
        return build(_graphs_of(dataset, "train", name), test, "any", name, str(dataset.path))

    def pair(self, samples: Set, inputs: Set) -> Set:
        check_pairs(len(samples), len(inputs))
        return replace(samples, inputs=inputs.graphs)

    def list_remarks(self, samples: Set) -> list[str]:
        return list(samples.notes)

    def count_failures(self, samples: Set) -> Counter[str]:
        return Counter(reason.split(":")[0] for reason in samples.reasons if reason)

    def list_rows(self, samples: Set, reference: GraphReference | None) -> Iterable[tuple]:
        """``valid``: by the rule of the reference, else readable; ``unique`` marks a graph's first record.

        What is undecided is empty, and so is what no metric asked for.
        """
        named, measured = samples.knows("hashes"), samples.knows("symmetries")
        known = reference.knows(samples.hashes) if reference and named else None
        reasons = samples.find_broken(reference and reference.rule)
        place, seen = 0, set()
        for record, graph in zip(samples.records, samples.graphs, strict=True):
            if graph is None:
                yield record.file, record.number, "", "", "false", record.reason, "", "", ""
                continue
            reason, code = reasons[place], int(samples.hashes[place]) if named else 0
            symmetry = samples.symmetries[place] if measured else None
            novel = "" if known is None or not code else write_truth(not known[place])
            unique = write_truth(code not in seen) if code else ""
            order = "" if symmetry is None else symmetry.order
            yield (
                record.file,
                record.number,
                graph.num_nodes,
                len(graph.edges),
                write_truth(not reason),
                reason,
                order,
                unique,
                novel,
            )
            seen.add(code)
            place += 1

    def make_sections(
        self, samples: Set, reference: GraphReference | None, estimates: Mapping[str, Estimate]
    ) -> list[PageSection]:
        return pages.make_sections(samples, reference, estimates)


def write_reference(reference: GraphReference, out: str | Path) -> None:
    """Write ``OUT.safetensors`` and ``OUT.json``.

    Parameters
    ----------
    reference : GraphReference
        What to write.
    out : str or Path
        Path without ending.
    """
    about = {
        "kind": GraphKind.name,
        "name": reference.name,
        "rule": reference.rule,
        "count": reference.count,
        "source": reference.source,
    }
    write_files(about, reference.arrays(), out)


def load_reference(name_or_path: str | Path) -> GraphReference:
    """Load a reference.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped one, or path of either file that ``write_reference`` wrote.

    Returns
    -------
    GraphReference
        The statistics.

    Raises
    ------
    UserError
        Where it is missing or was altered.
    """
    about, arrays = read_files(name_or_path, GraphKind.name)
    try:
        return from_arrays(about["name"], about["rule"], int(about["count"]), arrays, about["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(name_or_path, error) from error


def write_from_file(path: str | Path, out: str | Path, rule: str, source: str) -> GraphReference:
    """Make a reference of a file of graphs with a split, and write it.

    Parameters
    ----------
    path : str or Path
        Arrays with ``split``.
    out : str or Path
        Path without ending; the last part is the name.
    rule : str
        A name in ``RULES``.
    source : str
        Where the data come from.

    Returns
    -------
    GraphReference
        What was written.

    Raises
    ------
    UserError
        For a file without test graphs.
    """
    train, test = read_splits(path)
    if test is None:
        raise UserError(f"{path}: expected an array 'split' with test graphs (2)")
    reference = build(train, test, rule, Path(out).name, source)
    write_reference(reference, out)
    return reference


def _graphs_of(dataset: StructureSet, split: str, name: str) -> Set:
    """The graphs of one split, with labels where there is more than one."""
    part, domain = dataset.split(split), dataset.domain
    graphs = []
    for record in domain.codec.records(part.batch(range(len(part)))):
        nodes = record["node"] if domain.node_classes > 1 else None
        kinds = record["edge"] if domain.edge_classes > 2 else None
        graphs.append(SimpleGraph(len(record["node"]), record["edges"], nodes, kinds))
    return from_graphs(graphs, f"{name}/{split}")
