"""The same work on many items, in one process or several, in order."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int], None]
CHUNK = 256  # items a task: large against the cost of sending it, small against a set
_ALONE = 1.0  # seconds of work before others are asked: they take as long to start
_POOLS: ContextVar[dict[int, ProcessPoolExecutor] | None] = ContextVar("pools by number of processes", default=None)


def map_items(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int = 1,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> list[Result]:
    """Apply a function to every item, in several processes.

    Parameters
    ----------
    work : callable
        A function of one item, importable.
    items : sequence
        The items.
    workers : int
        Number of processes; the result does not depend on it.
    progress : callable, optional
        Called with the number of items done since its last call.
    chunk : int
        Number of items that are sent to a process at once.

    Returns
    -------
    list
        The results in the order of the items.
    """
    return map_portions(partial(_each, work), items, workers, progress, chunk)


def map_portions(
    work: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    workers: int = 1,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> list[Result]:
    """Apply a function to portions of the items, in several processes.

    What a second suffices for is done in this process. Others are started afresh ("spawn"), so ``work`` must be
    importable and a script that asks for them needs the usual ``if __name__ == "__main__"``.

    Parameters
    ----------
    work : callable
        A function of a sequence of items that gives the result of each in order.
    items : sequence
        The items.
    workers : int
        Number of processes; the result does not depend on it.
    progress : callable, optional
        Called with the number of items done since its last call.
    chunk : int
        Number of items of a portion.

    Returns
    -------
    list
        The results in the order of the items.
    """
    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    start_time, results = time.monotonic(), []

    def take(part: list[Result]) -> None:
        results.extend(part)
        if progress is not None:
            progress(len(part))

    for place, part in enumerate(chunks):
        several = workers > 1 and place + 1 < len(chunks)
        if several and (_is_started(workers) or time.monotonic() - start_time >= _ALONE):
            with share_pool():
                for one in _pool(workers).map(work, chunks[place:]):
                    take(one)
            break
        take(work(part))
    return results


@contextmanager
def share_pool() -> Iterator[None]:
    """Make a context within which all work shares the processes that the first of it starts; they end with it."""
    if _POOLS.get() is not None:
        yield
        return
    with ExitStack() as stack:
        pools: dict[int, ProcessPoolExecutor] = {}
        token = _POOLS.set(pools)
        stack.callback(_POOLS.reset, token)
        stack.callback(lambda: [pool.shutdown() for pool in pools.values()])
        yield


def _is_started(workers: int) -> bool:
    return workers in (_POOLS.get() or ())


def _pool(workers: int) -> ProcessPoolExecutor:
    pools = _POOLS.get()
    assert pools is not None  # one_pool() is around
    if workers not in pools:
        pools[workers] = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    return pools[workers]


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work forever."""

    def watch() -> None:
        if (parent := parent_process()) is not None:
            wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [work(item) for item in items]
