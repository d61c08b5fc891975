"""Work on one molecule after another in processes that may be killed.

A limit of time or memory costs one molecule, no more.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from symdiff.errors import UserError
from symdiff.storage.boundary import describe

_CHUNK = 32  # molecules a message
_PATIENCE = 20.0  # wall-clock seconds to a second of processor time: a crowded machine is no reason to give up
_START = 300.0  # seconds in which a process must have started
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PAGES = Path("/proc/self/statm")


@dataclass(frozen=True)
class Limits:
    """What work on one molecule may use.

    Parameters
    ----------
    workers : int
        Number of processes; 0: in this one, without limits.
    seconds : float
        Processor time for one molecule.
    megabytes : int
        Memory beyond what a process starts with, on Linux.
    """

    workers: int = 1
    seconds: float = 10.0
    megabytes: int = 1024


class Undetermined(str):
    """Why no answer was found, "time", "memory", "crash" or a reason of the work's own. Never counted as an answer."""


def run_each(
    work: Callable[[Any], Any], items: Sequence[Any], limits: Limits, progress: Callable[[int], None] | None = None
) -> list[Any]:
    """Run work on one item after another in processes that end where it exceeds its limits.

    Processes are started afresh ("spawn"), so a script needs the usual ``if __name__ == "__main__"``. Processor time is
    what is limited, so a busy machine changes no answer. An exception that ``work`` raises for an item, as a library
    may, is why that item is ``Undetermined``.

    Parameters
    ----------
    work : callable
        A function of a module, of one item.
    items : sequence
        The items.
    limits : Limits
        Processes, time and memory; the result does not depend on the number of processes.
    progress : callable, optional
        Called with 1 after each item.

    Returns
    -------
    list
        The result of each item in order, or ``Undetermined``.

    Raises
    ------
    UserError
        Where ``work`` raises one.
    """
    if limits.workers == 0:
        return [_report(_answer(work, item), progress) for item in items]
    todo = deque(deque(range(start, min(start + _CHUNK, len(items)))) for start in range(0, len(items), _CHUNK))
    results: list[Any] = [None] * len(items)
    pool = [_Worker(work, limits) for _ in range(min(limits.workers, len(todo)))]
    try:
        for worker in pool:
            worker.give(todo.popleft(), items)
        while busy := [worker for worker in pool if worker.indices]:
            ready = connection.wait([worker.pipe for worker in busy], limits.seconds * _PATIENCE)
            for worker in busy:
                if ready and worker.pipe not in ready:
                    continue
                answer = worker.take() if ready else Undetermined("time")
                if isinstance(answer, Exception):
                    raise answer
                results[worker.indices.popleft()] = _report(answer, progress)
                rest = worker.indices
                if not ready or not worker.alive:
                    worker.stop()
                    pool[pool.index(worker)] = worker = _Worker(work, limits)
                    if rest:
                        worker.give(rest, items)
                if not worker.indices and todo:
                    worker.give(todo.popleft(), items)
    finally:
        for worker in pool:
            worker.stop()
    return results


def _answer(work: Callable[[Any], Any], item: Any) -> Any:
    try:
        return work(item)
    except MemoryError:
        return Undetermined("memory")
    except UserError:
        raise
    except Exception as error:  # a library raises whatever an item leads it to: it costs this item, and no other
        return Undetermined(f"error: {describe(error)}")


def _report(answer: Any, progress: Callable[[int], None] | None) -> Any:
    if progress is not None:
        progress(1)
    return answer


class _Worker:
    """One process, and the indices that it still owes an answer to."""

    def __init__(self, work: Callable[[Any], Any], limits: Limits) -> None:
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, work, limits), daemon=True)
        _start_alone(self.process)
        other.close()
        self.indices: deque[int] = deque()
        self.alive, self.started = True, False

    def give(self, indices: deque[int], items: Sequence[Any]) -> None:
        if not self.started:
            self._wait()
        self.indices = indices
        self.pipe.send([items[index] for index in indices])

    def take(self) -> Any:
        """The next answer; why there is none, where the process died of it."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            self.alive = False
            return Undetermined("time" if self.process.exitcode == -signal.SIGPROF else "crash")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _wait(self) -> None:
        try:
            if not self.pipe.poll(_START):
                raise EOFError
            self.started = self.pipe.recv() == "ready"
        except EOFError as error:
            raise RuntimeError(
                "a process for molecules did not start; a script needs `if __name__ == '__main__'`"
            ) from error


def _start_alone(process: BaseProcess) -> None:
    """Start a process whose numerical libraries have one thread: the processes are what is parallel."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, work: Callable[[Any], Any], limits: Limits) -> None:
    _limit_memory(limits.megabytes)
    pipe.send("ready")
    while True:
        try:
            items = pipe.recv()
        except EOFError:
            return
        for item in items:
            signal.setitimer(signal.ITIMER_PROF, limits.seconds)  # its signal ends the process, whatever it is in
            try:
                answer = _answer(work, item)
            except UserError as error:  # told to the process that asked, which raises it
                answer = error
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send(answer)


def _limit_memory(megabytes: int) -> None:
    if not _PAGES.exists():
        return
    import resource

    used = int(_PAGES.read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20), hard))
