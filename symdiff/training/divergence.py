"""Whether a training has lost what it began with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

FACTOR = 3.0
"""A loss above this multiple of the first one has diverged: none that learns is that much worse than at its start."""
ENOUGH, MOST = 64, 10  # structures, and steps, that the first loss is taken from


class Divergence:
    """Compares the loss with that of the first steps: the median over those that have 64 structures, at most 10 steps.

    The losses are kept on the device, so that no step waits for the host.

    Parameters
    ----------
    batch_size : int
        Structures a step.
    device : torch.device
        Where losses are.
    """

    def __init__(self, batch_size: int, device: torch.device) -> None:
        self.losses = torch.full((min(math.ceil(ENOUGH / batch_size), MOST),), math.nan, device=device)

    def observe(self, step: int, loss: Tensor) -> None:
        """Take note of the loss of a step; only the first ones count.

        Parameters
        ----------
        step : int
            Counted from 0.
        loss : Tensor
            0-dim.
        """
        if step < len(self.losses):
            self.losses[step] = loss

    @property
    def first(self) -> float:
        """The loss of the first steps; not a number where none of them was finite."""
        return float(self.losses.where(self.losses.isfinite(), math.nan).nanmedian())

    def check(self, loss: float) -> bool:
        """Tell whether a loss is that of a training that has diverged.

        Parameters
        ----------
        loss : float
            A mean over recent steps.

        Returns
        -------
        bool
            False where it, or the first loss, is not a number.
        """
        first = self.first
        return loss > first + (FACTOR - 1) * abs(first)  # false where either is not a number

    def state(self) -> list[float | None]:
        """What ``restore`` takes back, as plain numbers."""
        return [loss if math.isfinite(loss) else None for loss in self.losses.tolist()]

    def restore(self, losses: Sequence[float | None]) -> None:
        """Put back what ``state`` returned.

        Parameters
        ----------
        losses : sequence of float or None
            The first losses; None for those that are not known.
        """
        self.losses.copy_(torch.tensor([math.nan if loss is None else loss for loss in losses]))
