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
        """Whether step ``step`` (from 1) must be skipped, float32 0 or 1 as the fused optimizer wants it."""
        bad = ~(torch.isfinite(loss) & torch.isfinite(norm))
        self.counts[0] += bad
        self.counts[1] = (self.counts[1] + 1) * bad
        self.counts[2] += step * ((self.counts[1] == LIMIT) & (self.counts[2] == 0))
        return bad.float()

    @property
    def skipped(self) -> int:
        return int(self.counts[0])

    @property
    def stopped_at(self) -> int:
        return int(self.counts[2])
