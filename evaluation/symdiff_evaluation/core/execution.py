"""How the work on samples is done: in how many processes, kept where, reported to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from symdiff_evaluation.core.parallel import Progress
from symdiff_evaluation.core.shards import Shards


class Begin(Protocol):
    """Callback before a stage of the work: the number of its items, and what is done with them."""

    def __call__(self, count: int, what: str = "judging") -> None: ...


@dataclass(frozen=True)
class Execution:
    """How the work on samples is done; the results do not depend on it.

    Parameters
    ----------
    workers : int
        Number of processes.
    shards : Shards, optional
        Where finished portions of long work are kept, so that a killed evaluation goes on.
    begin : Begin, optional
        Called before each stage with the number of items and its name.
    progress : callable, optional
        Called with the number of items done since the last call.
    """

    workers: int = 1
    shards: Shards | None = None
    begin: Begin | None = None
    progress: Progress | None = None

    def report_stages(self, count: int) -> Callable[[str, int], None] | None:
        """Make the callback with which samples report the work that metrics ask for, each kind of it as a stage.

        Parameters
        ----------
        count : int
            Number of items of each stage.

        Returns
        -------
        callable or None
            Called with the name of a stage and the number of items done since the last call; None without listeners.
        """
        if self.begin is None or self.progress is None:
            return None
        begin, progress = self.begin, self.progress
        names: list[str] = []

        def report(name: str, done: int) -> None:
            if name not in names:
                names.append(name)
                begin(count, name)
            progress(done)

        return report


ALONE = Execution()
"""In this process, nothing kept, nothing reported."""
