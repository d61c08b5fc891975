"""The progress bar of all long work: what is done, how much of it, a rate and the time left, on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def make_bar(unit: str, transient: bool = False, terminal_only: bool = False) -> Progress:
    """Make a bar that is not shown yet.

    Parameters
    ----------
    unit : str
        What is counted, in the plural.
    transient : bool
        Whether it vanishes when it is stopped.
    terminal_only : bool
        Whether nothing is shown where stderr is no terminal; else the last state is.

    Returns
    -------
    rich.progress.Progress
        The bar, to be started by ``with``.
    """
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

    console = Console(stderr=True)
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), Count(), Rate(), *times)
    return Progress(*columns, console=console, transient=transient, disable=terminal_only and not console.is_terminal)
