"""The moving average of the weights, which is what is sampled from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of all parameters of ``module``.

    The decay of update n (from 0) is min(decay, (1 + n) / (10 + n)), so that a short training is not an average of its
    random start. The parameters are looked up whenever they are needed: what wraps or moves a module may replace them
    or their storage.

    Parameters
    ----------
    module : nn.Module
        Whose parameters are averaged.
    decay : float
        In [0, 1).

    Attributes
    ----------
    weights : dict of str to Tensor
        The averaged parameters by name.

    Raises
    ------
    ValueError
        Where ``decay`` is out of range.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of an average is in [0, 1), got {decay}")
        self.module, self.decay = module, decay
        self.weights: dict[str, Tensor] = {
            name: parameter.clone(memory_format=torch.contiguous_format)
            for name, parameter in self._parameters().items()
        }

    def update(self, step: int) -> None:
        """Move the average towards the weights as they are now.

        Parameters
        ----------
        step : int
            The step that was done, counted from 0.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        parameters = self._parameters()
        # one call for all tensors, as torch's own optimizers do, has no public name
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            list(self.weights.values()), [parameters[name] for name in self.weights], 1 - decay
        )

    @torch.no_grad()
    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Put back what ``weights`` was.

        Parameters
        ----------
        weights : mapping of str to Tensor
            By the names of the parameters; they are copied.
        """
        for name, tensor in self.weights.items():
            tensor.copy_(weights[name])

    @contextmanager
    def swap_in(self) -> Iterator[None]:
        """Inside, the module has the averaged weights; afterwards, its own again."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, parameter in self._parameters().items():
            own = parameter.clone()
            parameter.copy_(self.weights[name])
            self.weights[name].copy_(own)

    def _parameters(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self.module.named_parameters()}
