"""Progress on stderr with a rate and the time left; stdout belongs to results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Callable[[float], None]]:
    """A bar that is advanced by calling it, and shown from then on; without a terminal only its last state is printed."""
    progress = _columns(unit)
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
def stages(unit: str, quiet: bool = False) -> Iterator[tuple[Callable[[int, str], None], Callable[[float], None]]]:
    """A bar for one work after another, on a terminal only: call the first with a work's total and name, the second to advance it."""
    progress = _columns(unit, transient=True)
    progress.disable = quiet or not progress.console.is_terminal
    with progress:
        task = progress.add_task("reading", total=None)

        def begin(total: int, what: str = "judging") -> None:
            progress.reset(task, total=total, description=what)

        def advance(done: float) -> None:
            progress.advance(task, done)
            if progress.tasks[0].finished:
                progress.update(task, description="measuring", total=None)

        yield begin, advance


def _columns(unit: str, transient: bool = False):
    """The bar of every verb."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            speed = task.finished_speed or task.speed
            return f"{speed:,.1f} {unit}/s" if speed else ""

    class Count(ProgressColumn):
        def render(self, task: Task) -> str:
            return f"{task.completed:,.0f}" + (f"/{task.total:,.0f}" if task.total else "")

    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), Count(), Rate(), *times)
    return Progress(*columns, console=Console(stderr=True), transient=transient)


def report(values: dict, lines: str, as_json: bool) -> None:
    """Print a verb's result: one JSON object, or the ``lines`` for people."""
    if as_json:
        import json

        print(json.dumps(values, allow_nan=False))
    else:
        print(lines)
