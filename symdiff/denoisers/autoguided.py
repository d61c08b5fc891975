"""Autoguidance: the predictions of a network, led away from those of a weaker one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from diffusers.configuration_utils import register_to_config
from pydantic import Field
from torch import Tensor

from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser, settings_of
from symdiff.guidance import combine
from symdiff.state import State

WAVE = 7919.0
"""How often the rule for the rows of the weak network changes its mind over the times from 0 to 1."""


class Autoguided(Denoiser):
    """D + (strength − 1)·(D − W) of a network D and a weaker one W, which makes the same mistakes more often.

    For labels this holds for logits, for reals for their values. Both networks are equivariant, and so is the result. A
    strength of 1 is the network alone, in one evaluation instead of two. Sampled structures follow a distribution that
    is sharper than the data's where the weak network is wrong: a heuristic, as all guidance is.

    In training each structure trains one of the two, the weak one a ``share`` of them: it is smaller and sees less.
    Networks that were trained apart are joined by ``join``.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    denoiser, weak : Mapping or Denoiser
        The specs of the two networks.
    strength : float
        How far predictions go: 1 leaves them as they are.
    share : float
        Of the training structures, those that train the weak network.

    References
    ----------
    Karras, Aittala, Kynkäänniemi, Lehtinen, Aila, Laine: Guiding a Diffusion Model with a Bad Version of Itself
    (NeurIPS 2024).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        denoiser: Mapping | Denoiser,
        weak: Mapping | Denoiser,
        strength: Annotated[float, Field(ge=0, le=100)] = 2.0,
        share: Annotated[float, Field(gt=0, lt=1)] = 0.1,
    ) -> None:
        super().__init__()
        given = {"schema": schema, "noisy": noisy, "code": code}
        self.denoiser = build(Denoiser, denoiser, where="denoiser.denoiser", **given)
        self.weak = build(Denoiser, weak, where="denoiser.weak", **given)
        self.strength, self.share = strength, share
        self.register_to_config(denoiser=settings_of(self.denoiser), weak=settings_of(self.weak))

    @classmethod
    def join(cls, denoiser: Denoiser, weak: Denoiser, strength: float = 2.0) -> Autoguided:
        """Join two trained networks into one.

        Parameters
        ----------
        denoiser, weak : Denoiser
            The network and a weaker one, of the same ``schema``, ``noisy`` and ``code``; their weights are copied.
        strength : float
            How far predictions are led away from those of ``weak``; 1 is ``denoiser`` alone.

        Returns
        -------
        Autoguided
            In evaluation mode.

        Raises
        ------
        ValueError
            For networks that do not see and predict the same.
        """
        names = ("schema", "noisy", "code")
        if any(denoiser.config[name] != weak.config[name] for name in names):
            raise ValueError("the weak network sees or predicts something else than the other one")
        given = {name: denoiser.config[name] for name in names}
        joined = cls(**given, denoiser=settings_of(denoiser), weak=settings_of(weak), strength=strength)
        joined.denoiser.load_state_dict(denoiser.state_dict())
        joined.weak.load_state_dict(weak.state_dict())
        return joined.eval()

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Extrapolate past the strong prediction, away from the weak one; in training pick one for each structure."""
        strong = self.denoiser(x, t, z)
        if not self.training:
            return strong if self.strength == 1 else combine(strong, self.weak(x, t, z), self.strength)
        # a structure's own time decides, so that its loss does not depend on the rest of the batch
        trains_weak = (t * WAVE).frac() < self.share
        weak = self.weak(x, t, z)
        values = {
            name: torch.where(trains_weak.view(-1, *[1] * (value.ndim - 1)), weak[name], value)
            for name, value in strong.values.items()
        }
        return State(strong.mask, strong.schema, values)
