"""Progress on stderr with a rate and the time left; stdout belongs to results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Callable[[float], None]]:
    """A bar that is advanced by calling it, and shown from then on; without a terminal only its last state is printed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            speed = task.finished_speed or task.speed
            return f"{speed:,.1f} {unit}/s" if speed else ""

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}"))
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    progress = Progress(*columns, Rate(), *times, console=Console(stderr=True))
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


def report(values: dict, lines: str, as_json: bool) -> None:
    """Print a verb's result: one JSON object, or the ``lines`` for people."""
    if as_json:
        import json

        print(json.dumps(values, allow_nan=False))
    else:
        print(lines)
