"""Progress on stderr with a rate and the time left; stdout belongs to results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from symdiff.progress import make_bar


class Begin(Protocol):
    """Is told of a work that begins: of how many items, and what it is called."""

    def __call__(self, count: int, what: str = "judging") -> None: ...


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Callable[[float], None]]:
    """A bar that is advanced by calling it, and shown from then on.

    Without a terminal only its last state is printed.
    """
    progress = make_bar(unit)
    task = progress.add_task(what, total=total)

    def advance(done: float) -> None:
        progress.start()
        progress.advance(task, done)

    try:
        yield advance
        progress.update(task, completed=total)
    finally:
        if progress.live.is_started:
            progress.stop()


@contextmanager
def stages(unit: str, quiet: bool = False) -> Iterator[tuple[Begin, Callable[[float], None]]]:
    """A bar for one work after another, on a terminal only.

    Call the first with a work's total and name, the second to advance it.
    """
    progress = make_bar(unit, transient=True, terminal_only=True)
    progress.disable = progress.disable or quiet
    with progress:
        task = progress.add_task("reading", total=None)

        def begin(count: int, what: str = "judging") -> None:
            progress.reset(task, total=count, description=what)

        def advance(done: float) -> None:
            progress.advance(task, done)
            if progress.tasks[0].finished:
                progress.update(task, description="measuring", total=None)

        yield begin, advance


def report(values: dict, lines: str, as_json: bool) -> None:
    """Print a verb's result: one JSON object, or the ``lines`` for people."""
    if as_json:
        import json

        print(json.dumps(values, allow_nan=False))
    else:
        print(lines)
