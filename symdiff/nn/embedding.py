"""Numbers as waves."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Waves(nn.Module):
    """Sines and cosines of a number, (B,) -> (B, dim).

    Parameters
    ----------
    dim : int
        How many sines and cosines together.
    highest : float
        Frequencies go from 1 to it, evenly spaced in log.
    """

    frequencies: Tensor

    def __init__(self, dim: int, highest: float = 1000.0) -> None:
        super().__init__()
        frequencies = torch.exp(torch.linspace(0, math.log(highest), dim // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        """Embed numbers.

        Parameters
        ----------
        value : Tensor, (B,)
            The numbers.

        Returns
        -------
        Tensor, (B, dim)
            All sines, then all cosines.
        """
        angle = value.to(self.frequencies.dtype)[:, None] * self.frequencies
        return torch.cat([angle.sin(), angle.cos()], -1)
