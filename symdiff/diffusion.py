"""A diffusion: denoiser, process and symmetry breaker. Its forward evaluates the objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from symdiff.breaking.base import SymmetryBreaker
from symdiff.denoisers.base import Denoiser
from symdiff.denoisers.scored import Scored
from symdiff.guidance import Guided
from symdiff.processes.base import Process
from symdiff.random import Generator
from symdiff.state import State


class Diffusion(nn.Module):
    """z is drawn once per trajectory and kept for every step.

    Training draws z for the structure that the breaker is anchored in; sampling draws it from its marginal
    distribution, which makes the distribution of the samples invariant with any process (see ``SymmetryBreaker``).

    Fields that the process does not drive are conditions c: they stand unchanged in every structure that the denoiser
    sees. A breaker anchored in the data then draws z for (c, x0) in training and for c alone in sampling, which is
    exact where the first distribution, averaged over x0, is the second: for a canonicalizer that reads the conditions
    first (``Sites``), and for conditions that no element of the group moves.

    Parameters
    ----------
    denoiser : Denoiser
        Predicts x0.
    process : Process
        Noises structures and steps back.
    breaker : SymmetryBreaker
        Draws z.
    objective : Objective, optional
        What training minimizes; sampling needs none.

    Raises
    ------
    ValueError
        For a breaker anchored where the process makes the sampled distribution another than that of the data.
    """

    def __init__(
        self,
        denoiser: Denoiser | Guided | Scored,
        process: Process,
        breaker: SymmetryBreaker,
        objective: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__()
        if breaker.anchor == "prior" and process.renoises:
            raise ValueError(
                f"{type(breaker).__name__} anchored in the prior sample needs steps that transport it, but "
                f"{type(process).__name__} noises afresh: the sampled distribution would not be that of the "
                "data; anchor it in the data"
            )
        if process.couples and breaker.anchor == "data":
            raise ValueError(
                f"{type(process).__name__} leads structures to noise near them, but {type(breaker).__name__} is "
                "anchored in the data: given z the noise would not have the prior's distribution; set anchor to none"
            )
        self.denoiser, self.process, self.breaker, self.objective = denoiser, process, breaker, objective

    @property
    def parts(self) -> dict[str, Any]:
        """The components by name."""
        return {"denoiser": self.denoiser, "breaker": self.breaker, "process": self.process}

    def forward(self, x0: State, generator: Generator | None = None) -> Tensor:
        """Evaluate the objective for every structure.

        Parameters
        ----------
        x0 : State
            Clean structures with their conditions, B rows.
        generator : Generator, optional
            The source of randomness: of times, noise and z.

        Returns
        -------
        Tensor
            (B,), the loss that training minimizes.

        Raises
        ------
        ValueError
            For a diffusion without an objective.
        """
        if self.objective is None:
            raise ValueError("a diffusion without an objective has no loss; give it one, such as Denoising()")
        return self.objective(self, x0, generator)

    def draw(self, x0: State | None, x1: State, generator: Generator | None = None) -> State:
        """Draw the z of a trajectory between x0 and x1, as the anchor of the breaker says.

        Parameters
        ----------
        x0 : State or None
            In training clean structures; in generation their conditions, or None where there are none.
        x1 : State
            The noise at the trajectory's other end, whose mask gives the sizes.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        State
            z, with the mask of ``x1``: given ``x0`` or given ``x1`` where the breaker is anchored in it, else from the
            breaker's marginal distribution.
        """
        if self.breaker.anchor == "prior":
            return self.breaker.sample(x1, generator)
        if self.breaker.anchor == "data" and x0 is not None:
            return self.breaker.sample(x0, generator)
        return self.breaker.prior(x1.mask, generator)
