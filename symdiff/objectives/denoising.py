"""Learning from data: what a structure was before it was noised."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.groups.base import Group
from symdiff.guidance import hide
from symdiff.objectives.base import Objective
from symdiff.random import Generator, uniform
from symdiff.state import State


class Denoising(Objective):
    """The loss of the process for the denoiser's prediction of x0 from x_t, at a random time t.

    Parameters
    ----------
    drop : float
        The share of the structures whose conditions are hidden, where the data have such, so that sampling can be
        guided.
    augment : Group, optional
        Every structure is moved by an element of this group, drawn afresh in every step.
    """

    def __init__(self, drop: Annotated[float, Field(ge=0, le=1)] = 0.0, augment: Group | None = None) -> None:
        self.drop, self.augment = drop, augment

    def __call__(self, model: Diffusion, x0: State, generator: Generator | None = None) -> Tensor:
        """Noise each structure to a random time and evaluate the process's loss of the denoiser's prediction."""
        process = model.process
        if self.augment is not None:
            x0 = self.augment.act(self.augment.sample(x0.mask, generator), x0)
        if self.drop:
            x0 = hide(x0, uniform((len(x0),), generator, x0.mask) < self.drop)
        x1 = process.couple(x0, process.prior(x0.mask, generator))
        z = model.draw(x0, x1, generator)
        t = process.draw_times(len(x0), generator, x0.mask)
        x = process.bridge(x0, x1, t, generator)
        return process.loss(model.denoiser(x, t, z), x0, x, t)
