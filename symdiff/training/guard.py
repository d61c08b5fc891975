"""Steps that are not finite are skipped, and too many in a row stop the training."""

from __future__ import annotations

import torch
from torch import Tensor

LIMIT = 10


class Guard:
    """Counts skipped steps on the device, so that no step waits for the host.

    Parameters
    ----------
    device : torch.device
        Where losses are.

    Attributes
    ----------
    counts : Tensor
        (3,) int64: all skipped steps, those in a row now, and the step (from 1) at which ``LIMIT`` in a row were
        reached first, or 0.
    """

    def __init__(self, device: torch.device) -> None:
        self.counts = torch.zeros(3, dtype=torch.int64, device=device)

    def check(self, step: int, loss: Tensor, norm: Tensor) -> Tensor:
        """Tell whether a step must be skipped, and count it.

        Parameters
        ----------
        step : int
            Counted from 1.
        loss, norm : Tensor
            0-dim: the loss, and the norm of its gradient.

        Returns
        -------
        Tensor
            0-dim float32, 1 for a step to be skipped, as the fused optimizer takes it.
        """
        bad = ~(torch.isfinite(loss) & torch.isfinite(norm))
        self.counts[0] += bad
        self.counts[1] = (self.counts[1] + 1) * bad
        self.counts[2] += step * ((self.counts[1] == LIMIT) & (self.counts[2] == 0))
        return bad.float()

    @property
    def skipped(self) -> int:
        """How many steps were skipped; reading it waits for the device."""
        return int(self.counts[0])

    @property
    def stopped_at(self) -> int:
        """The step, from 1, at which ``LIMIT`` in a row were skipped, or 0; reading it waits for the device."""
        return int(self.counts[2])
