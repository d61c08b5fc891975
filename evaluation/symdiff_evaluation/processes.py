"""The same work on many items, in one process or several, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")
_CHUNK = 256  # items a task: large against the cost of sending it, small against a set


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], workers: int = 1, progress: Callable[[int], None] | None = None
) -> list[Result]:
    """``work`` of every item, in ``workers`` processes; the result does not depend on how many.

    ``progress`` is called with the number of items done since its last call. Several workers are started afresh
    ("spawn"), so ``work`` must be importable and a script that asks for them needs the usual ``if __name__ == "__main__"``.
    """
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    chunk = partial(_each, work)
    if workers <= 1 or len(chunks) <= 1:
        return _collect(map(chunk, chunks), progress)
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn")) as pool:
        return _collect(pool.map(chunk, chunks), progress)


def _each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [work(item) for item in items]


def _collect(parts: Iterable[list[Result]], progress: Callable[[int], None] | None) -> list[Result]:
    found: list[Result] = []
    for part in parts:
        found.extend(part)
        if progress is not None:
            progress(len(part))
    return found
