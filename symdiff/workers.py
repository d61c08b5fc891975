"""Work side by side: on the cores of a processor, and among the processes that torchrun started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8
"""Threads that run Python: more of them wait for each other."""
PATIENCE = timedelta(days=1)


def each(function: Callable[[Item], Result], items: Sequence[Item], device: torch.device) -> list[Result]:
    """Apply a function to every item; on a CPU several at a time, each with its share of torch's threads.

    Networks on small structures are slow to gain from a second thread (one and a half times, where two batches side by
    side are twice as fast).

    Parameters
    ----------
    function : callable
        From an item to a result. It runs under the caller's autocast; what it draws must come from generators of its
        own.
    items : sequence
        The items.
    device : torch.device
        Where the work is done; on another device than a CPU it is done one item at a time.

    Returns
    -------
    list
        The results, in the order of the items.
    """
    threads = torch.get_num_threads()
    count = min(threads, len(items), MOST)
    if device.type != "cpu" or count < 2:
        return [function(item) for item in items]
    enabled, dtype = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

    def run(item: Item) -> Result:
        with torch.autocast("cpu", dtype, enabled=enabled):  # a thread does not inherit it
            return function(item)

    pool = ThreadPoolExecutor(count, "symdiff", initializer=torch.set_num_threads, initargs=(max(1, threads // count),))
    try:
        return list(pool.map(run, items))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def process() -> tuple[int, int]:
    """Look up the place of this process among those that torchrun started.

    Returns
    -------
    rank : int
        The number of this process; 0 without torchrun.
    size : int
        How many processes there are; 1 without torchrun.
    """
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def share(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    pack: Callable[[Result], bytes],
    unpack: Callable[[bytes], Result],
) -> Iterator[Result]:
    """Apply a function to every item in order: the processes of torchrun take turns.

    Parameters
    ----------
    function : callable
        From an item to a result; the other processes are one result ahead of what the first has asked for.
    items : iterable
        The same ones in every process.
    pack : callable
        Writes a result as bytes.
    unpack : callable
        Reads it again.

    Yields
    ------
    Result
        On the first process; the others do their part and yield nothing.
    """
    rank, size = process()
    if size == 1:
        yield from map(function, items)
        return
    distributed.init_process_group("gloo", timeout=PATIENCE)
    try:
        if rank == 0:
            yield from (
                function(item) if place % size == 0 else unpack(_receive(place % size))
                for place, item in enumerate(items)
            )
        else:
            _send(pack(function(item)) for place, item in enumerate(items) if place % size == rank)
    finally:
        distributed.destroy_process_group()


def _send(results: Iterable[bytes]) -> None:
    """Send results to the first process, each while the next one is made."""
    pending: list[tuple[distributed.Work | None, Tensor]] = []  # tensors live until they are sent
    for result in results:
        _wait(pending)
        tensors = torch.tensor([len(result)]), torch.frombuffer(bytearray(result), dtype=torch.uint8)
        pending = [(distributed.isend(tensor, 0), tensor) for tensor in tensors]
    _wait(pending)


def _wait(pending: Iterable[tuple[distributed.Work | None, Tensor]]) -> None:
    for work, _ in pending:
        if work is not None:  # a process outside of the group has nothing to wait for
            work.wait()


def _receive(rank: int) -> bytes:
    size = torch.zeros(1, dtype=torch.int64)
    distributed.recv(size, rank)
    content = torch.empty(int(size), dtype=torch.uint8)
    distributed.recv(content, rank)
    return content.numpy().tobytes()
