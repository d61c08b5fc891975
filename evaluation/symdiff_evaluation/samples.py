"""A set of judged samples: what metrics are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from symdiff_evaluation.judging import Judged, Traits, judge, restored
from symdiff_evaluation.processes import in_processes
from symdiff_evaluation.records import Record
from symdiff_evaluation.shards import Shards, in_shards

if TYPE_CHECKING:
    from symdiff_evaluation.moses import Features


@dataclass(frozen=True)
class Samples:
    """``records`` and what was judged of them, in the order of the files; ``workers`` and ``shards``: for what is worked out later."""

    records: tuple[Record, ...]
    judged: tuple[Judged, ...]
    workers: int = field(default=1, compare=False, repr=False)
    shards: Shards | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def valid(self) -> list[str]:
        """Canonical SMILES of the strictly valid samples, with repeats."""
        return [judged.canonical for judged in self.judged if judged.canonical is not None]

    @cached_property
    def distinct(self) -> list[str]:
        """The different ones among them, sorted."""
        return sorted(set(self.valid))

    @cached_property
    def traits(self) -> list[Traits]:
        """Numbers of the strictly valid samples, with repeats."""
        return [judged.traits for judged in self.judged if judged.traits is not None]

    @cached_property
    def input_orders(self) -> list[int | None]:
        """Of what each record was made from, the order of the automorphism group; None where the file does not tell, or it is no molecule."""
        given = {record.input for record in self.records} - {""}
        texts = sorted(given)
        work = partial(judge, properties=False)
        found = in_processes(work, [Record("input", k, text) for k, text in enumerate(texts, 1)], self.workers)
        orders = {text: one.traits.order if one.traits else None for text, one in zip(texts, found, strict=True)}
        return [orders.get(record.input) for record in self.records]

    @cached_property
    def features(self) -> dict[str, Features]:
        """What MOSES looks at, by canonical SMILES; worked out when first asked for. Lacks those that RDKit does not read again."""
        from symdiff_evaluation import moses

        found = _kept(moses.read, self.distinct, self.workers, None, self.shards, "moses", str, moses.plain, moses.restored)
        return {text: one for text, one in zip(self.distinct, found, strict=True) if one is not None}


def judge_all(
    records: Iterable[Record],
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    properties: bool = True,
    shards: Shards | None = None,
) -> Samples:
    """Judge records in ``workers`` processes; the result does not depend on how many, nor on ``shards``.

    ``progress`` is called with the number of records judged since its last call. ``shards``: what a killed run has done is read
    from there.
    """
    records = tuple(records)
    work = partial(judge, properties=properties)
    setting = "judged" if properties else "judged without properties"
    found = _kept(work, records, workers, progress, shards, setting, _identity, asdict, restored)
    return Samples(records, tuple(found), workers, shards)


def _kept(work, items, workers, progress, shards: Shards | None, setting: str, identity, plain, back) -> list:
    """``work`` of every item, kept in shards if there are that many."""
    if shards is None or len(items) <= shards.above:
        return in_processes(work, items, workers, progress)
    from rdkit import rdBase

    from symdiff import __version__

    told = f"{setting}, symdiff {__version__}, rdkit {rdBase.rdkitVersion}"
    parts = in_shards(
        items, lambda part: in_processes(work, part, workers), shards.folder / setting, identity, plain, back, told
    )
    found: list = []
    for part in parts:
        found.extend(part)
        if progress is not None:
            progress(len(part))
    return found


def _identity(record: Record) -> str:
    return f"{record.form}\n{record.reason}\n{record.text}"


def from_smiles(
    smiles: Sequence[str], workers: int = 1, name: str = "list", progress: Callable[[int], None] | None = None
) -> Samples:
    """Judge SMILES strings that are already in memory."""
    from symdiff_evaluation.reading import record_of

    return judge_all([record_of(name, number, text) for number, text in enumerate(smiles, 1)], workers, progress)
