"""Files in, numbers out: the one function that everything else serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symdiff.errors import UserError
from symdiff_evaluation import chemnet
from symdiff_evaluation.building import build
from symdiff_evaluation.estimate import Estimate
from symdiff_evaluation.protocol import Protocol, known
from symdiff_evaluation.protocol import load as load_protocol
from symdiff_evaluation.reading import ENDINGS, read
from symdiff_evaluation.records import Record
from symdiff_evaluation.reference import Reference, shipped
from symdiff_evaluation.reference import load as load_reference
from symdiff_evaluation.samples import Samples, judge_all


@dataclass(frozen=True)
class Evaluation:
    """What was evaluated, against what, and the estimates by id in the protocol's order."""

    files: tuple[str, ...]
    protocol: Protocol
    reference: Reference | None
    samples: Samples
    estimates: dict[str, Estimate]

    @property
    def notes(self) -> list[str]:
        """What a reader must know before comparing the numbers."""
        notes = []
        if len(self.samples) != self.protocol.samples:
            notes.append(
                f"{len(self.samples):,} samples; the protocol's published values are of {self.protocol.samples:,}."
                " Uniqueness, V.U.N. and all distances depend on the number of samples."
            )
        left_out = [name for name in self.protocol.metrics if name not in self.estimates]
        if left_out:
            notes.append(f"Without a reference there is no {', '.join(left_out)}.")
        for name in ("fcd.train", "fcd.test"):
            if self.reference and name in self.estimates and name.split(".")[1] not in self.reference.gaussians:
                notes.append(f"The reference {self.reference.name} has no ChemNet statistics for {name}.")
        return notes


def evaluate(
    files: Sequence[str | Path],
    protocol: str | Path | Protocol = "molecule-graph",
    reference: str | Path | Reference | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    begun: Callable[[int], None] | None = None,
) -> Evaluation:
    """Evaluate files of samples.

    ``reference``: a ``Reference``, the name of a shipped one, one of the files that ``build_reference`` wrote, a file of
    SMILES, "none", or None for the protocol's own. ``begun`` is told the number of records before the work starts,
    ``progress`` the number judged since the last call. Raises ``UserError`` for what a user can put right.
    """
    protocol = protocol if isinstance(protocol, Protocol) else load_protocol(protocol)
    if asks_fcd(protocol):
        chemnet.require()
    if not files:
        raise UserError("expected at least one file of samples, got none")
    target = reference if isinstance(reference, Reference) else resolve(reference or protocol.reference, protocol, workers)
    records: list[Record] = [record for file in files for record in read(file)]
    if not records:
        raise UserError(f"{', '.join(map(str, files))}: no record in it")
    if begun is not None:
        begun(len(records))
    samples = judge_all(records, workers, progress)
    return Evaluation(tuple(map(str, files)), protocol, target, samples, measure(samples, target, protocol))


def measure(samples: Samples, reference: Reference | None, protocol: Protocol) -> dict[str, Estimate]:
    """The protocol's estimates, each metric called once."""
    found: dict[str, Estimate] = {}
    for name in protocol.metrics:
        metric = known()[name]
        if name not in found and not (reference is None and name in metric.compares):
            found |= metric(samples, reference)
    return {name: found[name] for name in protocol.metrics if name in found}


def resolve(reference: str | Path, protocol: Protocol, workers: int = 1) -> Reference | None:
    """The reference that a name or a path means; "none" means none. Raises ``UserError``."""
    text = str(reference)
    if text == "none":
        return None
    path = Path(text)
    if text not in shipped() and path.name.lower().removesuffix(".gz").endswith(ENDINGS):
        smiles = [record.text for record in read(path) if record.form == "smiles"]
        return build({"train": smiles}, path.name, str(path), asks_fcd(protocol), workers)
    return load_reference(reference)


def asks_fcd(protocol: Protocol) -> bool:
    """Whether a protocol needs ChemNet."""
    return any(name.startswith("fcd.") for name in protocol.metrics)
