"""A discrete flow: entries jump straight to the clean label, some of them are noised again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.processes.discrete import Discrete, _per_entry, chance, draw
from symdiff.random import Generator
from symdiff.state import State


class Flow(Discrete):
    """The path x_t = x0 with probability 1 − t, else x1, run backwards by jumps to predicted clean labels.

    A step from t to s jumps with probability (t − r)/t, r <= s, and noises again from r to s; r < s where
    ``stochasticity`` η > 0: an entry is noised again with probability min(η (t − s), s), so that mistakes can be
    mended. ``distortion`` d spaces the grid as t = (1 − k/steps)^d: d > 1 makes small steps near the data.
    The law of x_s is exact for exact predictions and small steps (Campbell et al., Generative Flows on Discrete
    State-Spaces, ICML 2024; Gat et al., Discrete Flow Matching, NeurIPS 2024; the distortion after Qin et al., DeFoG, ICML 2025).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]],
        prior: Literal["marginal", "uniform"] = "marginal",
        stochasticity: float = 0.0,
        distortion: float = 1.0,
    ) -> None:
        uniform = {name: [1.0] * len(weights) for name, weights in marginals.items()}
        self.set_priors(schema, marginals if prior == "marginal" else uniform)
        self.stochasticity, self.distortion = stochasticity, distortion

    @property
    def renoises(self) -> bool:
        return self.stochasticity > 0

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def times(self, steps: int) -> Tensor:
        return super().times(steps) ** self.distortion

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        again = torch.minimum(self.stochasticity * (t - s), s)
        r = 1 - (1 - s) / (1 - again).clamp_min(1e-12)
        values = {}
        for name, field in self.schema.items():
            x0 = draw(self.predicted(name, out, x), field, x.mask, generator)
            jump = chance(field, x.mask, generator) < _per_entry((t - r) / t, x0)
            values[name] = torch.where(jump, x0, x[name])
            if self.renoises:
                x1 = draw(self._prior_of(name, out[name].float()).expand(*x0.shape, -1), field, x.mask, generator)
                noised = chance(field, x.mask, generator) < _per_entry(again, x0)
                values[name] = torch.where(noised, x1, values[name])
        return x.with_values(**values)
