"""Progress on stderr with a rate and the time left; stdout belongs to results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from symdiff.progress import make_bar


class Begin(Protocol):
    """A function that is told of each work as it begins."""

    def __call__(self, count: int, what: str = "judging") -> None:
        """Begin the next work.

        Parameters
        ----------
        count : int
            How many items it has.
        what : str
            What it is called.
        """
        ...


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Callable[[float], None]]:
    """Show a bar that is advanced by calling it, from its first call on.

    Without a terminal only its last state is printed.

    Parameters
    ----------
    what : str
        What is done, such as "sampling".
    total : int
        How much of it.
    unit : str
        In what it is counted, in the plural.

    Yields
    ------
    callable
        To be called with how much was done since the last call.
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
    """Show a bar for one work after another, on a terminal only.

    Parameters
    ----------
    unit : str
        In what the work is counted, in the plural.
    quiet : bool
        Whether nothing is shown.

    Yields
    ------
    Begin
        To be called with the total and the name of a work.
    callable
        To be called with how much was done since the last call.
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
    """Print a verb's result: one JSON object, or lines for people.

    Parameters
    ----------
    values : dict
        Plain names and finite numbers.
    lines : str
        What people read.
    as_json : bool
        Which of the two.
    """
    if as_json:
        import json

        print(json.dumps(values, allow_nan=False))
    else:
        print(lines)
