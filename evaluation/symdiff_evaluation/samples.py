"""A set of judged samples: what metrics are given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context

from symdiff_evaluation.judging import Judged, Traits, judge
from symdiff_evaluation.records import Record

_CHUNK = 256  # records a task: large against the cost of sending it, small against a set


@dataclass(frozen=True)
class Samples:
    """``records`` and what was judged of them, in the order of the files."""

    records: tuple[Record, ...]
    judged: tuple[Judged, ...]

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


def judge_all(
    records: Iterable[Record],
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    properties: bool = True,
) -> Samples:
    """Judge records in ``workers`` processes; the result does not depend on how many.

    ``progress`` is called with the number of records judged since its last call. Several workers are started afresh
    ("spawn"), so a script that asks for them needs the usual ``if __name__ == "__main__"``.
    """
    records = tuple(records)
    chunks = [records[start : start + _CHUNK] for start in range(0, len(records), _CHUNK)]
    work = partial(_judge_chunk, properties=properties)
    if workers <= 1 or len(chunks) <= 1:
        return Samples(records, _collect(map(work, chunks), progress))
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn")) as pool:
        return Samples(records, _collect(pool.map(work, chunks), progress))


def from_smiles(
    smiles: Sequence[str], workers: int = 1, name: str = "list", progress: Callable[[int], None] | None = None
) -> Samples:
    """Judge SMILES strings that are already in memory."""
    from symdiff_evaluation.reading import record_of

    return judge_all([record_of(name, number, text) for number, text in enumerate(smiles, 1)], workers, progress)


def _judge_chunk(records: Sequence[Record], properties: bool) -> list[Judged]:
    return [judge(record, properties) for record in records]


def _collect(parts: Iterable[list[Judged]], progress: Callable[[int], None] | None) -> tuple[Judged, ...]:
    judged: list[list[Judged]] = []
    for part in parts:
        judged.append(part)
        if progress is not None:
            progress(len(part))
    return tuple(itertools.chain.from_iterable(judged))
