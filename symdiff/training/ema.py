"""The moving average of the weights, which is what is sampled from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of all parameters of ``module``, float32.

    The decay of update n (from 0) is min(decay, (1 + n) / (10 + n)), so that a short training is not an average of its
    random start. ``weights``: name -> Tensor.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of an average is in [0, 1), got {decay}")
        self.decay = decay
        self._live = dict(module.named_parameters())
        self.weights: dict[str, Tensor] = {
            name: parameter.detach().clone(memory_format=torch.contiguous_format) for name, parameter in self._live.items()
        }
        self._pairs = list(self.weights.values()), [parameter.detach() for parameter in self._live.values()]

    def update(self, step: int) -> None:
        """Move the average towards the weights as they are after step ``step`` (counted from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(*self._pairs, 1 - decay)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Inside, the module has the averaged weights; behind, its own again."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self._live.items():
            mine = parameter.detach().clone()
            parameter.copy_(self.weights[name])
            self.weights[name].copy_(mine)
