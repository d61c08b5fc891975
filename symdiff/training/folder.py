"""The folder of a run: one run at a time, and nothing left of one that could not start."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from accelerate import Accelerator
from filelock import FileLock, Timeout

from symdiff.errors import UserError

LOCK, HOLDER = ".lock", ".holder.json"  # two files: on Windows none can read what is locked
LEFT = "recipe.yaml", "log.jsonl", "state", "tensorboard", LOCK, HOLDER
"""What a run may have written before its first step."""


@dataclass
class Claim:
    """A folder that a run works in.

    Parameters
    ----------
    began : bool
        Whether the run has done a step, so that what it wrote stays.
    """

    began: bool = False


@contextmanager
def claim(out: Path, accelerator: Accelerator, check: Callable[[], None]) -> Iterator[Claim]:
    """Make the folder of a run and hold its lock in the first process, for all processes of the run.

    A run that ends inside the context and has not begun leaves no folder and no file that was not there before.

    Parameters
    ----------
    out : Path
        The folder.
    accelerator : Accelerator
        The processes of the run.
    check : callable
        Says by a UserError that the run may not work in this folder; it is called by the first process once it holds
        the lock.

    Yields
    ------
    Claim
        Whose ``began`` is to be set once a step was done.

    Raises
    ------
    UserError
        In the first process, where another run works in the folder, ``check`` objects or the folder cannot be made.
    SystemExit
        In the others then, with code 2.
    """
    own = Claim()
    with ExitStack() as stack:
        problem = None
        if accelerator.is_main_process:
            try:
                stack.enter_context(_fresh(out, own))
                check()
            except UserError as error:
                problem = error
        if accelerator.num_processes > 1:
            refused = torch.tensor(int(problem is not None), device=accelerator.device)
            torch.distributed.broadcast(refused, 0)
            if refused and problem is None:
                raise SystemExit(2)
        if problem is not None:
            raise problem
        yield own


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that exists; the system releases it when the process ends, however it ends.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    UserError
        Where another process holds it: its number, its host and since when.
    """
    holder, lock = folder / HOLDER, FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{folder}: {_describe(holder)} is training in this folder; wait for its end or choose another folder"
        ) from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be locked ({error.strerror})") from error
    try:
        record = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            holder.write_text(json.dumps(record) + "\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"{folder}: cannot be written to ({error.strerror})") from error
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def find_holder(folder: Path) -> dict | None:
    """Tell who works in a folder, without touching its lock.

    Parameters
    ----------
    folder : Path
        The folder of a run.

    Returns
    -------
    dict or None
        ``pid``, ``host`` and ``since`` as the holder wrote them; None where there is none, or it has died on this
        machine.
    """
    try:
        record = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        if record["host"] == socket.gethostname():
            os.kill(record["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record


def _describe(holder: Path) -> str:
    """Who holds a lock, as far as the holder has written it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {record['pid']} on {record['host']}, since {record['since']},"
    return "another process"


@contextmanager
def _fresh(out: Path, own: Claim) -> Iterator[None]:
    """Make the folder where it is not there, and hold it; sweep up after a run that did not begin."""
    missing = [path for path in (out, *out.parents) if not path.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        for path in missing:
            with suppress(OSError):  # never made
                path.rmdir()
        raise UserError(f"{out}: the folder cannot be made ({error.strerror})") from error
    before = {path.name for path in out.iterdir()}
    try:
        with hold(out):
            try:
                yield
            finally:
                if not own.began:
                    _sweep(out, before)
    finally:
        if not own.began:
            if LOCK not in before and os.name == "nt":
                (out / LOCK).unlink(missing_ok=True)  # which Windows allows once it is released
            with suppress(OSError):  # not empty: someone else's
                for path in missing:
                    path.rmdir()


def _sweep(out: Path, before: set[str]) -> None:
    for name in LEFT:
        path = out / name
        if name in before:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        elif name != LOCK or os.name != "nt":
            path.unlink(missing_ok=True)
