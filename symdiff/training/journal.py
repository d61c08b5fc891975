"""What a training tells while it goes on: in its log, to a tracker, and to the person who watches."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from symdiff.training.log import Log
from symdiff.training.progress import Bar


class Journal:
    """Averages what the steps since the last line were like, and writes lines, notes and samples.

    The log and the bar are those of the first process; trackers are told by all of them.

    Parameters
    ----------
    path : Path
        The log.
    steps : int
        The last step of the training.
    accelerator : Accelerator
        The processes of the run, with the trackers.
    quiet : bool
        Whether nothing is shown.

    Attributes
    ----------
    losses : Tensor
        (2,): the sum of the losses of the steps since the last line, and how many of these were finite.
    loss : float
        The mean loss as the last line has it; not a number before.
    """

    def __init__(self, path: Path, steps: int, accelerator: Accelerator, quiet: bool = False) -> None:
        self.path, self.steps, self.accelerator = path, steps, accelerator
        self.quiet = quiet or not accelerator.is_main_process
        self.losses = torch.zeros(2, device=accelerator.device)
        self.loss, self._rate = math.nan, 0.0
        self._samples, self._seconds = 0, 0.0  # of the steps since the last line, for the rate
        self._log: Log | None = None

    def open(self, step: int) -> None:
        """Open the log and show the bar.

        Parameters
        ----------
        step : int
            The step after which the training goes on; what was written after it is forgotten.
        """
        self._log = Log(self.path, step) if self.accelerator.is_main_process else None
        self._bar = Bar(self.steps, step, quiet=self.quiet)
        self.loss, self._samples, self._seconds = math.nan, 0, 0.0

    def close(self) -> None:
        """Close the log and remove the bar."""
        self._bar.close()
        if self._log:
            self._log.close()

    def sync(self) -> None:
        """Make sure that the log is on the disk."""
        if self._log:
            self._log.sync()

    def observe(self, loss: Tensor, norm: Tensor, skip: Tensor, samples: int, seconds: float) -> None:
        """Take note of a step.

        Parameters
        ----------
        loss, norm : Tensor
            0-dim: the loss, and the norm of its gradient.
        skip : Tensor
            0-dim, 1 where the step was skipped: its loss does not count.
        samples : int
            Structures of the step.
        seconds : float
            That it took.
        """
        self.losses += torch.stack([torch.where(skip > 0, 0.0, loss), 1 - skip])
        self._norm = norm
        self._samples += samples
        self._seconds += seconds

    @property
    def rate(self) -> float:
        """Structures a second over the steps since the last line, or over those before it."""
        return self._samples / self._seconds if self._seconds else self._rate

    def average(self) -> float:
        """Average the loss over the steps since the last line, and begin anew.

        Returns
        -------
        float
            Also kept as ``loss``; not a number where no step was finite.
        """
        total, count = self.losses.tolist()
        self.loss = total / count if count else math.nan
        self._rate = self._samples / self._seconds if self._seconds else 0.0
        self._samples, self._seconds = 0, 0.0
        self.losses.zero_()
        return self.loss

    def write(self, step: int, learning_rate: float, skipped: int, seconds: float) -> None:
        """Write a line of the training, with the averages that ``average`` took.

        Parameters
        ----------
        step : int
            The step that was done.
        learning_rate : float
            Of that step.
        skipped : int
            Skipped steps so far.
        seconds : float
            Of the training so far.
        """
        norm = float(self._norm)
        values = {
            "loss": None if math.isnan(self.loss) else self.loss,
            "gradient_norm": norm if math.isfinite(norm) else None,
            "learning_rate": learning_rate,
            "skipped": skipped,
            "samples_per_second": round(self._rate, 1),
            "seconds": round(seconds, 2),
        }
        if self._log:
            self._log.write("train", step, **values)
        self.accelerator.log({k: v for k, v in values.items() if v is not None}, step=step)

    def note(self, step: int, text: str) -> None:
        """Write a note into the log.

        Parameters
        ----------
        step : int
            The step that was done.
        text : str
            A line.
        """
        if self._log:
            self._log.write("note", step, text=text)

    def sample(self, step: int, values: dict) -> None:
        """Write and show what was measured of samples.

        Parameters
        ----------
        step : int
            The step that was done.
        values : dict
            Plain numbers and texts, by name.
        """
        if self._log:
            self._log.write("sample", step, **values)
        self.accelerator.log({f"sample/{k}": v for k, v in values.items() if isinstance(v, int | float)}, step=step)
        words = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items())
        self.say(f"step {step}  " + "  ".join(words))

    def say(self, text: str) -> None:
        """Show a line that stays.

        Parameters
        ----------
        text : str
            The line.
        """
        self._bar.say(text)

    def show(self, step: int) -> None:
        """Show how far the training has come.

        Parameters
        ----------
        step : int
            The step that was done.
        """
        self._bar.update(step, self.loss, self.rate)
