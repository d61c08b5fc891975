"""Samples in, numbers out: the one function that everything else serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symdiff.errors import UserError
from symdiff.storage.boundary import naming
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.guess import guess
from symdiff_evaluation.core.kind import AnyReference, Kind
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.origin import Origin, advise, trace
from symdiff_evaluation.core.parallel import share_pool
from symdiff_evaluation.core.protocol import Protocol
from symdiff_evaluation.core.protocol import load as load_protocol
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.core.structures import find_kind, list_files


@dataclass(frozen=True, eq=False)
class Evaluation(Mapping[str, Estimate]):
    """The estimates by id in the protocol's order, with what was evaluated against what.

    Parameters
    ----------
    files
        Paths of the samples, none for structures in memory.
    protocol
        Which numbers.
    reference
        What the samples are compared with, of the protocol's kind, or None.
    samples
        The set that the protocol's kind reads, such as ``MoleculeSamples``.
    estimates
        The numbers by id.
    origin
        Where the files come from; without anything where a reference was named.
    """

    files: tuple[str, ...]
    protocol: Protocol
    reference: AnyReference | None
    samples: Any
    estimates: dict[str, Estimate]
    origin: Origin = field(default=Origin())

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.estimates)

    def __len__(self) -> int:
        return len(self.estimates)

    @property
    def kind(self) -> Kind:
        """What the samples are."""
        return load_kind(self.protocol.kind)

    @property
    def total(self) -> int:
        """Number of records, broken ones included."""
        return self.kind.count_records(self.samples)

    @property
    def notes(self) -> list[str]:
        """What a reader must know before comparing the numbers."""
        notes = []
        if self.reference and self.kind.by_number and not 0.9 <= self.total / self.protocol.samples <= 1.1:
            notes.append(
                f"{self.total:,} samples, where published values are of {self.protocol.samples:,}. "
                f"{self.kind.by_number}"
            )
        left_out = [name for name in self.protocol.metrics if name not in self.estimates]
        if left_out and self.origin.problem:
            notes.append(
                f"Nothing is compared: {self.origin.problem} {advise(self.kind.name, self.kind.of)} Left out: "
                f"{', '.join(left_out)}."
            )
        elif left_out:
            notes.append(f"Without a reference there is no {', '.join(left_out)}.")
        return notes + self.kind.list_notes(self.protocol, self.reference) + self.kind.list_remarks(self.samples)


@naming()
def evaluate(
    samples: Any,
    protocol: str | Path | Protocol | Sequence[str] | None = None,
    reference: Any = None,
    inputs: Any = None,
    execution: Execution = ALONE,
) -> Evaluation:
    """Evaluate samples: files, or structures in memory.

    Parameters
    ----------
    samples
        Paths of files, or ``SampleFiles``; or SMILES, RDKit molecules, networkx graphs, adjacency matrices (n, n), ASE
        atoms, spins ±1 (count, ...), or a mapping of arrays as a file would hold them. Text is a path where it ends
        like one.
    protocol
        Name of a protocol, a .yaml file, a ``Protocol``, or the ids of metrics; None for the one that goes with the
        samples.
    reference
        What they are compared with: the name of a shipped reference, a file, structures in memory, a reference of the
        kind, or "none". None for the protocol's own, and where that is "none" for that of the data set which the files'
        sidecars name.
    inputs
        What each sample was made from (decoded, edited, completed), in the same order: files or structures, as
        ``samples``.
    execution : Execution
        Processes, shards and progress.

    Returns
    -------
    Evaluation
        A mapping from ids to estimates, with what was evaluated against what.

    Raises
    ------
    UserError
        For what a user can put right.
    """
    files = list_files(samples)
    if not (files or len(samples)):
        raise UserError("expected samples, got none")
    protocol = _find_protocol(protocol, samples, files)
    kind = load_kind(protocol.kind)
    if files is not None:
        _check_files(files, kind)
    kind.require(protocol.metrics)
    target, origin = protocol.reference if reference is None else reference, Origin()
    if reference is None and isinstance(target, str) and target == "none":
        origin = trace(files or (), kind.name)
        target = origin.reference or "none"
    with share_pool():
        target = _find_reference(target, kind, protocol.metrics, execution.workers)
        sample_set = _read_samples(samples, kind, protocol.metrics, execution)
        if not kind.count_records(sample_set):
            raise UserError(f"{', '.join(map(str, files or ['samples']))}: no record in it")
        if inputs is not None:
            sample_set = kind.pair(sample_set, _read_samples(inputs, kind, (), Execution(execution.workers)))
        sample_set = kind.equip(sample_set, protocol)
        estimates = kind.measure(sample_set, target, protocol.metrics)
        return Evaluation(tuple(map(str, files or ())), protocol, target, sample_set, estimates, origin)


def _find_protocol(
    protocol: str | Path | Protocol | Sequence[str] | None, samples: Any, files: SampleFiles | None
) -> Protocol:
    if isinstance(protocol, Protocol):
        return protocol
    if isinstance(protocol, str | Path):
        return load_protocol(protocol)
    usual = load_protocol(find_kind(samples) if files is None else guess(files, files.atoms is not None))
    return usual if protocol is None else usual.with_metrics(protocol)


def _check_files(files: SampleFiles, kind: Kind) -> None:
    """Raise ``UserError`` for a column or atoms where the kind's files have none."""
    if files.column is not None and not kind.tables:
        raise UserError(
            f"--column {files.column}: only tables of SMILES have columns; these are samples of the kind {kind.name}"
        )
    if files.atoms is not None and not kind.labels:
        raise UserError(
            f"--atoms {','.join(files.atoms)}: only labels of molecules as graphs stand for atoms; these are samples "
            f"of the kind {kind.name}"
        )


def _find_reference(target: Any, kind: Kind, metrics: Sequence[str], workers: int) -> AnyReference | None:
    """The reference that a name, a path or structures in memory mean; one that is made already as it is."""
    if isinstance(target, str | Path):
        return None if str(target) == "none" else kind.find_reference(str(target), metrics, workers)
    if hasattr(target, "source"):
        return target
    return kind.summarize(kind.accept(target, Execution(workers)), "reference", metrics, workers)


def _read_samples(samples: Any, kind: Kind, metrics: Sequence[str], execution: Execution) -> Any:
    files = list_files(samples)
    return kind.accept(samples, execution, metrics) if files is None else kind.read(files, execution, metrics)
