"""Training towards a law that is known up to its norm, on the model's own samples: no data are needed but their conditions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.denoisers.base import Denoiser
from symdiff.diffusion import Diffusion
from symdiff.processes.base import Process
from symdiff.random import Generator, Streams
from symdiff.sampling.importance import Importance
from symdiff.sampling.request import Request
from symdiff.state import State


class LogVariance(Diffusion):
    """A diffusion whose loss is half the variance of log w over ``draws`` of its own samples for one condition; w: their importance weights.

    The gradient is that of the Kullback-Leibler divergence from the model to the law, and its noise vanishes with the divergence,
    which half the variance approaches (Richter et al., VarGrad, NeurIPS 2020): so it goes on where learning from data is limited by
    their number. It does not find what the model never draws; begin with weights that have seen data (``training.start``). A trajectory has ``steps`` evaluations, and all
    are kept for the gradient.

    Raises
    ------
    ValueError
        For fewer than two draws, a process without likelihoods, or a breaker anchored elsewhere than in nothing.
    """

    def __init__(
        self, denoiser: Denoiser, process: Process, breaker: SymmetryBreaker, log_density: Callable[[State], Tensor] | None, draws: int, steps: int
    ) -> None:
        super().__init__(denoiser, process, breaker)
        if draws < 2:
            raise ValueError(f"draws: a variance needs at least 2, got {draws}")
        if log_density is None:
            raise ValueError("draws: needs a law that is known, as that of spins at a temperature")
        if not process.reveals or breaker.anchor != "none":
            raise ValueError(
                "draws: needs likelihoods that are positive and known: the process Masked and a breaker anchored in nothing, "
                f"got {type(process).__name__} and {type(breaker).__name__} anchored in {breaker.anchor!r}"
            )
        self.log_density, self.draws, self.steps = log_density, draws, steps

    def forward(self, x0: State, generator: Generator | None = None) -> Tensor:
        """½ Var log w for the condition of every structure, (B,); nothing else of the structures is read."""
        rows = torch.arange(len(x0), device=x0.device).repeat_interleave(self.draws)
        given = x0.only(*(name for name in x0.schema if name not in self.process.schema)).select(rows)
        streams = generator.split(self.draws) if isinstance(generator, Streams) else generator
        sampler = Importance(self, self.steps, self.log_density, differentiable=True)
        log_weights = sampler(Request.of(given.mask, given if given.schema else None), streams).log_weights
        return log_weights.view(len(x0), self.draws).var(1) / 2
