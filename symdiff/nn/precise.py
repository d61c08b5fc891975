"""Linear layers that autocast leaves alone: eight bits are enough for features of a site, not for a temperature."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def precise_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Apply a linear map in the type of the weights, under autocast, too.

    Parameters
    ----------
    x : Tensor, (..., C)
        The input.
    weight : Tensor, (C', C)
        The matrix.
    bias : Tensor, (C',)
        The bias.

    Returns
    -------
    Tensor, (..., C')
        The output, in the type of the weights.
    """
    with torch.autocast(x.device.type, enabled=False):
        return functional.linear(x.to(weight.dtype), weight, bias)


class PreciseLinear(nn.Linear):
    """A linear layer for one vector a structure, a time or a temperature, where precision costs nothing.

    In bfloat16 temperatures between 2 and 4 are multiples of 1/64, so that a network would mix up temperatures that
    differ by 0.4 %.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer.

        Parameters
        ----------
        input : Tensor, (..., C)
            The input.

        Returns
        -------
        Tensor, (..., C')
            The output, in the type of the weights.
        """
        return precise_linear(input, self.weight, self.bias)
