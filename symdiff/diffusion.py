"""A diffusion: denoiser, process and symmetry breaker. Its forward is the loss."""

from __future__ import annotations

from torch import Tensor, nn

from symdiff.breaking.base import SymmetryBreaker
from symdiff.denoisers.base import Denoiser
from symdiff.guidance import hide
from symdiff.processes.base import Process
from symdiff.random import Generator, uniform
from symdiff.state import State


class Diffusion(nn.Module):
    """z is drawn once per trajectory and kept for every step.

    Training draws z for the structure that the breaker is anchored in; sampling draws it from its marginal law, which
    makes the law of the samples invariant with any process (see ``SymmetryBreaker``).

    Fields that the process does not drive are conditions c: they stand unchanged in every structure that the denoiser
    sees. A breaker anchored in the data then draws z for (c, x0) in training and for c alone in sampling, which is exact where
    the first law, averaged over x0, is the second: for a canonicalizer that reads the conditions first (``Sites``), and for
    conditions that no element of the group moves. ``drop``: the share of the structures whose conditions are hidden in
    training, those that may be, so that sampling can be guided.
    """

    def __init__(self, denoiser: Denoiser, process: Process, breaker: SymmetryBreaker, drop: float = 0.0) -> None:
        super().__init__()
        if breaker.anchor == "prior" and process.renoises:
            raise ValueError(
                f"{type(breaker).__name__} anchored in the prior sample needs steps that transport it, but "
                f"{type(process).__name__} noises afresh: the sampled law would not be the data's; anchor it in the data"
            )
        if process.couples and breaker.anchor == "data":
            raise ValueError(
                f"{type(process).__name__} leads structures to noise near them, but {type(breaker).__name__} is anchored in the data: "
                "given z the noise would not have the prior's law; set anchor to none"
            )
        self.denoiser, self.process, self.breaker, self.drop = denoiser, process, breaker, drop

    def forward(self, x0: State, generator: Generator | None = None) -> Tensor:
        """The loss of every structure, (B,)."""
        if self.drop:
            x0 = hide(x0, uniform((len(x0),), generator, x0.mask) < self.drop)
        x1 = self.process.couple(x0, self.process.prior(x0.mask, generator))
        z = self.draw(x0, x1, generator)
        t = self.process.draw_times(len(x0), generator, x0.mask)
        x = self.process.bridge(x0, x1, t, generator)
        return self.process.loss(self.denoiser(x, t, z), x0, x, t)

    def draw(self, x0: State | None, x1: State, generator: Generator | None = None) -> State:
        """z for a trajectory between x0 (when generating: its conditions, or None) and x1."""
        if self.breaker.anchor == "prior":
            return self.breaker.sample(x1, generator)
        if self.breaker.anchor == "data" and x0 is not None:
            return self.breaker.sample(x0, generator)
        return self.breaker.prior(x1.mask, generator)
