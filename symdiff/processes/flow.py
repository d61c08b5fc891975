"""A discrete flow: entries jump straight to the clean label, some of them are noised again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor
from torch.nn import functional

from symdiff.processes.discrete import Discrete, Prior, _per_entry, choose_prior
from symdiff.random import Generator


class Flow(Discrete):
    """The path x_t = x0 with probability 1 − t, else x1, run backwards by jumps to predicted clean labels.

    A step from t to s jumps with probability (t − r)/t and then noises again from r <= s to s, so that mistakes can be
    corrected. The distribution of x_s is exact for exact predictions and small steps.

    ``kl`` belongs to the ancestral chain of the same α, prior and predictions (``posterior``), not to the jumps: its
    bound becomes exact for exact predictions and small steps, while that of the jumps, whose paths show which
    entries have jumped, stays loose.

    Parameters
    ----------
    schema : Mapping
        The driven fields, all Categorical.
    marginals : Mapping of str to list of float
        Frequencies of the labels of each field in the data.
    prior : {"marginal", "uniform"}
        The distribution of noise: those frequencies, or all labels alike.
    stochasticity : float
        η: a step noises an entry again with probability min(η (t − s), s).
    distortion : float
        d: the grid is t = (1 − k/steps)^d; more than 1 makes small steps near the data.
    focus : float
        f: training times are u^f with u uniform; more than 1 trains more near the data.

    Raises
    ------
    ValueError
        For a stochasticity below 0, a distortion or focus not above 0.

    References
    ----------
    Campbell, Yim, Barzilay, Rainforth, Jaakkola: Generative Flows on Discrete State-Spaces (ICML 2024).
    Gat et al.: Discrete Flow Matching (NeurIPS 2024).
    Qin, Madeira, Thanou, Frossard: DeFoG: Discrete Flow Matching for Graph Generation (ICML 2025), the distortion.
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
        self.set_priors(schema, choose_prior(marginals, prior))
        if stochasticity < 0 or min(distortion, focus) <= 0:
            raise ValueError(
                f"expected stochasticity >= 0, distortion > 0 and focus > 0, got {stochasticity}, {distortion} and "
                f"{focus}"
            )
        self.stochasticity, self.distortion, self.focus = stochasticity, distortion, focus

    @property
    def renoises(self) -> bool:
        """Whether entries are noised again after a jump, which ``stochasticity`` says."""
        return self.stochasticity > 0

    def alpha(self, t: Tensor) -> Tensor:
        """Evaluate α(t) = 1 − t."""
        return 1 - t

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw u^``focus`` with u uniform."""
        return super().draw_times(batch, generator, like) ** self.focus

    def times(self, steps: int) -> Tensor:
        """Make the grid (1 − k/steps)^``distortion``."""
        return super().times(steps) ** self.distortion

    def transition(self, name: str, p0: Tensor, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Evaluate the distribution after a jump to the predicted label and, with stochasticity, fresh noise."""
        again = torch.minimum(self.stochasticity * (t - s), s)
        r = (s - again) / (1 - again).clamp_min(1e-12)
        jump, renoise = (_per_entry(u.to(p0), p0) for u in ((t - r) / t, again))
        p_r = jump * p0 + (1 - jump) * functional.one_hot(x_t, p0.shape[-1])
        return (1 - renoise) * p_r + renoise * self._prior_of(name, p0)
