"""What a person sees while training: a bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import math
import sys
import time

from symdiff.progress import make_bar


class Bar:
    """Step, loss, structures a second, time left.

    Parameters
    ----------
    steps, start : int
        The last step, and the one that training begins after.
    quiet : bool
        Show nothing (processes other than the first).
    every : float
        Seconds between lines where there is no terminal.
    """

    def __init__(self, steps: int, start: int, quiet: bool = False, every: float = 30.0) -> None:
        bar = make_bar("steps", terminal_only=True)
        self._bar = None if bar.disable or quiet else bar
        self.steps, self.start, self.quiet = steps, start, quiet
        self.every = every if self._bar is None else 0.2
        self._begin = self._last = time.monotonic()
        if self._bar is not None:
            self._task = self._bar.add_task("training", total=steps, completed=start)
            self._bar.start()

    def update(self, step: int, loss: float, rate: float) -> None:
        """Show the state after a step, unless something was shown a moment ago.

        Parameters
        ----------
        step : int
            The step that was done.
        loss : float
            The mean over recent steps; not a number where it is not known.
        rate : float
            Structures a second.
        """
        now = time.monotonic()
        if self.quiet or (now - self._last < self.every and step < self.steps):
            return
        self._last = now
        state = f"{rate:,.0f}/s"
        if math.isfinite(loss):  # not known before the first line of the log
            state = f"loss {loss:.4f}  {state}"
        if self._bar is None:
            left = (now - self._begin) / max(step - self.start, 1) * (self.steps - step)
            print(f"step {step}/{self.steps}  {state}  {_clock(left)} left", file=sys.stderr, flush=True)
        else:
            self._bar.update(self._task, completed=step, description=state)

    def say(self, text: str) -> None:
        """Show one line that stays.

        Parameters
        ----------
        text : str
            The line.
        """
        if self.quiet:
            return
        if self._bar is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._bar.console.print(text, highlight=False, markup=False)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
