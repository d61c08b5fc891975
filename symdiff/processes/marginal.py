"""The diffusion on labels of DiGress: transitions towards the labels' frequencies, undone one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.config.ranges import Levels
from symdiff.processes.discrete import Discrete, Prior, _sum, choose_prior, surprise
from symdiff.random import Generator
from symdiff.state import State


class Marginal(Discrete):
    """The Markov chain of DiGress, which resamples entries from the prior over labels, level by level.

    At t = k/levels an entry is still clean with probability α(t) = cos²(π/2 · (t + 0.008)/1.008), scaled to α(0) = 1. A
    step draws from the exact posterior under the prediction of x0, over any subset of the levels. DiGress stops the
    last transition just short of the prior; here it gets there, so that ``prior_kl`` is zero.

    Parameters
    ----------
    schema : Mapping
        The driven fields, all Categorical.
    marginals : Mapping of str to list of float
        Frequencies of the labels of each field in the data.
    prior : {"marginal", "uniform"}
        The distribution of noise: those frequencies, or all labels alike.
    levels : int
        Levels of the chain, the greatest number of steps.
    weights : Mapping of str to float, optional
        The loss is the sum over fields of weight × mean cross-entropy (DiGress: 1 for atoms, 5 for bonds); left out,
        it is the mean over all entries.

    Raises
    ------
    ValueError
        For fewer than one level, or weights that do not fit the fields.

    References
    ----------
    Vignac et al.: DiGress: Discrete Denoising Diffusion for Graph Generation (ICLR 2023).
    Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models (ICML 2021), the schedule.
    """

    @property
    def renoises(self) -> bool:
        """Always: the chain's posterior may change a label that was already clean."""
        return True

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]],
        prior: Prior = "marginal",
        levels: Levels = 500,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.set_priors(schema, choose_prior(marginals, prior))
        if levels < 1:
            raise ValueError(f"levels must be at least 1, got {levels}")
        if weights is not None and set(weights) != set(self.schema):
            raise ValueError(f"weights must be given for the fields {sorted(self.schema)}, got {sorted(weights)}")
        self.levels, self.weights = levels, weights

    def alpha(self, t: Tensor) -> Tensor:
        """Evaluate the squared cosine of the class docstring."""
        # the sine of what is left of the angle: close to t = 1 the cosine of the angle loses its digits in float32
        angle = torch.full_like(t, math.pi / 2 / 1.008)
        return ((angle * (1 - t)).sin() / angle.sin()).square()

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw one of the levels 1/levels, ..., 1."""
        return (super().draw_times(batch, generator, like) * self.levels).ceil() / self.levels

    def times(self, steps: int) -> Tensor:
        """Make the grid of ``Process.times``.

        Raises
        ------
        ValueError
            For more steps than levels.
        """
        if steps > self.levels:
            raise ValueError(f"steps must be at most the {self.levels} levels of the process, got {steps}")
        return super().times(steps)

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Sum the fields' mean cross-entropies by ``weights``; without weights as ``Discrete``."""
        if self.weights is None:
            return super().loss(out, x0, x, t)
        total = torch.zeros(len(x0), device=x0.device)
        for name, field in self.schema.items():
            entries = surprise(out[name], x0[name])
            count = _sum(torch.ones_like(entries), field, x0.mask).clamp_min(1)
            total = total + self.weights[name] * _sum(entries, field, x0.mask) / count
        return total
