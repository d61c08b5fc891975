"""A set of judged samples: what metrics are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from symdiff.storage.records import Record
from symdiff_evaluation.core.execution import ALONE, Execution
from symdiff_evaluation.core.parallel import map_items
from symdiff_evaluation.core.shards import Shards, Work, work_out
from symdiff_evaluation.molecules.verdict import (
    COUNTS,
    EVERYTHING,
    PROPERTIES,
    SYMMETRY,
    Traits,
    Verdict,
    judge,
    restore,
)

if TYPE_CHECKING:
    from symdiff_evaluation.core.filters import Filters
    from symdiff_evaluation.molecules.moses import Features


@dataclass(frozen=True)
class MoleculeSamples:
    """A set of molecules with the verdict on each.

    Parameters
    ----------
    records : tuple of Record
        In the order of the files.
    verdicts : tuple of Verdict
        One a record.
    workers : int
        Number of processes for what is worked out later.
    shards : Shards, optional
        Where that is kept.
    filters : Filters, optional
        The list that MOSES's filters need beyond what RDKit has.
    aspects : frozenset of str
        What was worked out beyond the verdicts, of ``verdict.EVERYTHING``.
    """

    records: tuple[Record, ...]
    verdicts: tuple[Verdict, ...]
    workers: int = field(default=1, compare=False, repr=False)
    shards: Shards | None = field(default=None, compare=False, repr=False)
    filters: Filters | None = field(default=None, compare=False, repr=False)
    aspects: frozenset[str] = field(default=EVERYTHING, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def valid(self) -> list[str]:
        """Canonical SMILES of the strictly valid samples, with repeats."""
        return [verdict.canonical for verdict in self.verdicts if verdict.canonical is not None]

    @cached_property
    def distinct(self) -> list[str]:
        """The different ones among them, sorted."""
        return sorted(set(self.valid))

    @cached_property
    def traits(self) -> list[Traits]:
        """Numbers of the strictly valid samples, with repeats.

        Raises ``RuntimeError`` where a metric did not say that it needs them.
        """
        if self.aspects.isdisjoint({COUNTS, PROPERTIES, SYMMETRY}):
            raise RuntimeError(
                f"a metric needs one of {COUNTS}, {PROPERTIES}, {SYMMETRY} and does not say so in its `needs`"
            )
        return [verdict.traits for verdict in self.verdicts if verdict.traits is not None]

    @cached_property
    def input_orders(self) -> list[int | None]:
        """Of what each record was made from, the order of the automorphism group.

        None where the file does not tell, or it is no molecule.
        """
        orders = {text: one.traits.order if one.traits else None for text, one in self._inputs.items()}
        return [orders.get(record.input) for record in self.records]

    @cached_property
    def input_names(self) -> list[str | None]:
        """Of what each record was made from, the canonical SMILES; None as above."""
        return [one.canonical if (one := self._inputs.get(record.input)) else None for record in self.records]

    @cached_property
    def _inputs(self) -> dict[str, Verdict]:
        """What each record was made from, by its text."""
        texts = sorted({record.input for record in self.records} - {""})
        work = partial(judge, aspects=frozenset({SYMMETRY}))
        verdicts = map_items(work, [Record("input", k, text) for k, text in enumerate(texts, 1)], self.workers)
        return dict(zip(texts, verdicts, strict=True))

    @cached_property
    def features(self) -> dict[str, Features]:
        """What MOSES looks at, by canonical SMILES; worked out when first asked for.

        Lacks those that RDKit does not read again.
        """
        from symdiff_evaluation.molecules import moses

        smarts = self.filters.smarts if self.filters else ()
        run = partial(_run, partial(moses.read, smarts=smarts), self.workers)
        work = Work("moses", run, str.encode, moses.to_plain, moses.restore, ("rdkit",), setting="\n".join(smarts))
        results = work_out(work, self.distinct, self.shards)
        return {text: one for text, one in zip(self.distinct, results, strict=True) if one is not None}


def judge_all(
    records: Iterable[Record], execution: Execution = ALONE, aspects: frozenset[str] = EVERYTHING
) -> MoleculeSamples:
    """Judge records; the result does not depend on ``execution``.

    Parameters
    ----------
    records : iterable of Record
        SMILES or mol blocks.
    execution : Execution
        Processes, shards from which the work of a killed run is read, and progress in records.
    aspects : frozenset of str
        What is worked out beyond the verdicts.

    Returns
    -------
    MoleculeSamples
        The records with their verdicts, in their order.
    """
    records = tuple(records)
    run = partial(_run, partial(judge, aspects=aspects), execution.workers)
    work = Work("verdicts", run, _identity, asdict, restore, ("rdkit",), setting=" ".join(sorted(aspects)))
    verdicts = tuple(work_out(work, records, execution.shards, execution.progress))
    return MoleculeSamples(records, verdicts, execution.workers, execution.shards, aspects=aspects)


def _run(work: Callable, workers: int, items: Sequence, progress: Callable[[int], None] | None) -> list:
    return map_items(work, items, workers, progress)


def _identity(record: Record) -> bytes:
    return f"{record.form}\n{record.reason}\n{record.text}".encode("utf-8", "surrogatepass")


def from_smiles(
    smiles: Sequence[str], workers: int = 1, name: str = "list", progress: Callable[[int], None] | None = None
) -> MoleculeSamples:
    """Judge SMILES that are already in memory.

    Parameters
    ----------
    smiles : sequence of str
        The molecules.
    workers : int
        Number of processes.
    name : str
        What stands for the name of a file.
    progress : callable, optional
        Called with the number of molecules done since its last call.

    Returns
    -------
    MoleculeSamples
        In the order of the SMILES.
    """
    from symdiff.chemistry.smiles import record_of

    return judge_all(
        [record_of(name, number, text) for number, text in enumerate(smiles, 1)], Execution(workers, progress=progress)
    )
