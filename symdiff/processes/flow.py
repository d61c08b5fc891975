"""A discrete flow: entries jump straight to the clean label, some of them are noised again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor
from torch.nn import functional

from symdiff.processes.discrete import Discrete, Prior, _per_entry, law_of_labels
from symdiff.random import Generator


class Flow(Discrete):
    """The path x_t = x0 with probability 1 − t, else x1, run backwards by jumps to predicted clean labels.

    A step from t to s jumps with probability (t − r)/t, r <= s, and noises again from r to s; r < s where
    ``stochasticity`` η > 0: an entry is noised again with probability min(η (t − s), s), so that mistakes can be
    mended. ``distortion`` d spaces the grid as t = (1 − k/steps)^d: d > 1 makes small steps near the data, and
    ``focus`` f > 1 trains more there: t = u^f with u uniform. The law of x_s is exact for exact predictions and small
    steps (Campbell et al., Generative Flows on Discrete State-Spaces, ICML 2024; Gat et al., Discrete Flow Matching,
    NeurIPS 2024; the distortion after Qin et al., DeFoG, ICML 2025).

    ``kl`` belongs to the ancestral chain of the same α, prior and predictions (``posterior``), not to the jumps: its
    bound becomes exact for exact predictions and small steps, while that of the jumps, whose paths show which
    entries have jumped, stays loose.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]],
        prior: Prior = "marginal",
        stochasticity: float = 0.0,
        distortion: float = 1.0,
        focus: float = 1.0,
    ) -> None:
        self.set_priors(schema, law_of_labels(marginals, prior))
        if stochasticity < 0 or min(distortion, focus) <= 0:
            raise ValueError(
                f"expected stochasticity >= 0, distortion > 0 and focus > 0, got {stochasticity}, {distortion} and "
                f"{focus}"
            )
        self.stochasticity, self.distortion, self.focus = stochasticity, distortion, focus

    @property
    def renoises(self) -> bool:
        return self.stochasticity > 0

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        return super().draw_times(batch, generator, like) ** self.focus

    def times(self, steps: int) -> Tensor:
        return super().times(steps) ** self.distortion

    def transition(self, name: str, law: Tensor, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
        again = torch.minimum(self.stochasticity * (t - s), s)
        r = (s - again) / (1 - again).clamp_min(1e-12)
        jump, noised = (_per_entry(u.to(law), law) for u in ((t - r) / t, again))
        jumped = jump * law + (1 - jump) * functional.one_hot(x_t, law.shape[-1])
        return (1 - noised) * jumped + noised * self._prior_of(name, law)
