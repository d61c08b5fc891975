"""Linear layers that autocast leaves alone: eight bits are enough for features of a site, not for a temperature."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def precise_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``functional.linear`` in the type of the weights, under autocast, too."""
    with torch.autocast(x.device.type, enabled=False):
        return functional.linear(x.to(weight.dtype), weight, bias)


class PreciseLinear(nn.Linear):
    """For what is one vector for a whole structure, a time, a temperature, where precision costs nothing.

    In bfloat16 temperatures between 2 and 4 are multiples of 1/64, so that a network would mix up its data's within 0.4
    %.
    """

    def forward(self, input: Tensor) -> Tensor:
        return precise_linear(input, self.weight, self.bias)
