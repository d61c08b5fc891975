"""Files in, numbers out: the one function that everything else serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symdiff.errors import UserError
from symdiff.storage.boundary import naming
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.guess import guess
from symdiff_evaluation.core.kind import Begun, Compared, Kind, Told
from symdiff_evaluation.core.kinds import kind as kind_of
from symdiff_evaluation.core.origin import Origin, advise, trace
from symdiff_evaluation.core.parallel import one_pool
from symdiff_evaluation.core.protocol import Protocol
from symdiff_evaluation.core.protocol import load as load_protocol
from symdiff_evaluation.core.shards import Shards


@dataclass(frozen=True)
class Evaluation:
    """What was evaluated, against what, and the estimates by id in the protocol's order.

    Parameters
    ----------
    files
        Paths of the samples.
    protocol
        Which numbers.
    reference
        What the samples are compared with, of the protocol's kind, or None.
    samples
        The set that the protocol's kind reads, such as ``Samples`` of molecules.
    estimates
        The numbers by id.
    origin
        Where the files come from; without anything where a reference was named.
    """

    files: tuple[str, ...]
    protocol: Protocol
    reference: Compared | None
    samples: object
    estimates: dict[str, Estimate]
    origin: Origin = field(default=Origin())

    @property
    def kind(self) -> Kind:
        """What the samples are."""
        return kind_of(self.protocol.kind)

    @property
    def total(self) -> int:
        """Number of records, broken ones included."""
        return self.kind.total(self.samples)

    @property
    def notes(self) -> list[str]:
        """What a reader must know before comparing the numbers."""
        notes = []
        if self.reference and self.kind.by_number and not 0.9 <= self.total / self.protocol.samples <= 1.1:
            notes.append(f"{self.total:,} samples, where published values are of {self.protocol.samples:,}. {self.kind.by_number}")
        left_out = [name for name in self.protocol.metrics if name not in self.estimates]
        if left_out and self.origin.problem:
            notes.append(f"Nothing is compared: {self.origin.problem} {advise(self.kind.name, self.kind.of)} Left out: {', '.join(left_out)}.")
        elif left_out:
            notes.append(f"Without a reference there is no {', '.join(left_out)}.")
        return notes + self.kind.notes(self.protocol, self.reference) + self.kind.remarks(self.samples)


@naming()
def evaluate(
    files: Sequence[str | Path],
    protocol: str | Path | Protocol | None = None,
    reference: str | Path | Compared | None = None,
    workers: int = 1,
    progress: Told | None = None,
    begun: Begun | None = None,
    shards: Shards | None = None,
    column: str | None = None,
    atoms: Sequence[str] | None = None,
) -> Evaluation:
    """Evaluate files of samples.

    ``protocol``: None means the one that goes with the files (``guess``). ``reference``: a reference object, the name of a shipped one, a
    file that its kind makes one of, "none", or None for the protocol's own, and where that is "none" for the
    one of the data set that the files' sidecars name. ``begun`` is told the number of records (and what is
    done with them, where that is several things) before a work starts, ``progress`` the number done since the last call.
    ``shards``: where the work on many samples is kept, so that a killed evaluation goes on (``discard`` removes it). ``column``: that of SMILES in
    tables. ``atoms``: what the labels of nodes stand for, in files of graphs. Raises ``UserError`` for what a user can put right.
    """
    if not files:
        raise UserError("expected at least one file of samples, got none")
    protocol = protocol if isinstance(protocol, Protocol) else load_protocol(protocol or guess(files, atoms is not None))
    kind = kind_of(protocol.kind)
    if column is not None and not kind.tables:
        raise UserError(f"--column {column}: only tables of SMILES have columns; these are samples of the kind {kind.name}")
    if atoms is not None and not kind.labels:
        raise UserError(f"--atoms {','.join(atoms)}: only labels of molecules as graphs stand for atoms; these are samples of the kind {kind.name}")
    kind.require(protocol.metrics)
    target, origin = protocol.reference if reference is None else reference, Origin()
    if reference is None and target == "none":
        origin = trace(files, kind.name)
        target = origin.reference or "none"
    with one_pool():
        if isinstance(target, str | Path):
            target = None if str(target) == "none" else kind.reference(str(target), protocol.metrics, workers)
        samples = kind.read(files, workers, begun, progress, shards, protocol.metrics, column, atoms)
        if not kind.total(samples):
            raise UserError(f"{', '.join(map(str, files))}: no record in it")
        samples = kind.equipped(samples, protocol)
        estimates = kind.measure(samples, target, protocol.metrics)
        return Evaluation(tuple(map(str, files)), protocol, target, samples, estimates, origin)
