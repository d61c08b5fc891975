"""Learning a distribution that is known up to its norm, on the model's own samples: of data, conditions are enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.objectives.base import Objective
from symdiff.random import Generator, Streams
from symdiff.sampling.importance import Importance
from symdiff.sampling.request import Request
from symdiff.state import State


class LogVariance(Objective):
    """Half the variance of log w over several samples of the model for one condition, with w their importance weights.

    Its gradient is that of the Kullback-Leibler divergence from the model to the target distribution, and the noise
    of the gradient vanishes with the divergence, which half the variance approaches: so it goes on where learning
    from data is limited by their number. It does not find what the model never draws: begin with weights that have
    seen data (``training.start``). All evaluations of a trajectory are kept for the gradient.

    Parameters
    ----------
    log_density : callable or None
        log f of structures with their conditions, (B,), up to a constant; None where it is not known. The domain's.
    steps : int
        Evaluations of the network a trajectory. Those of the recipe's ``sampling``.
    draws : int
        Samples for the condition of every structure, at least 2.

    Raises
    ------
    ValueError
        For fewer than two draws and for a density that is not known.

    References
    ----------
    Richter et al., VarGrad: A Low-Variance Gradient Estimator for Variational Inference, NeurIPS 2020.
    """

    def __init__(
        self, log_density: Callable[[State], Tensor] | None, steps: int, draws: Annotated[int, Field(ge=2, le=10**4)]
    ) -> None:
        if draws < 2:
            raise ValueError(f"draws: a variance needs at least 2, got {draws}")
        if log_density is None:
            raise ValueError(
                "LogVariance needs a distribution that is known, as that of spins at a temperature; "
                "this one is known from data only"
            )
        self.log_density, self.draws, self.steps = log_density, draws, steps

    def __call__(self, model: Diffusion, x0: State, generator: Generator | None = None) -> Tensor:
        """Evaluate ½ Var log w for the condition of every structure; nothing else of the structures is read."""
        if not model.process.reveals or model.breaker.anchor != "none":
            raise ValueError(
                "objective: LogVariance needs likelihoods that are positive and known: the process Masked and "
                f"a breaker anchored in nothing, got {type(model.process).__name__} and "
                f"{type(model.breaker).__name__} anchored in {model.breaker.anchor!r}"
            )
        rows = torch.arange(len(x0), device=x0.device).repeat_interleave(self.draws)
        given = x0.only(*(name for name in x0.schema if name not in model.process.schema)).select(rows)
        streams = generator.split(self.draws) if isinstance(generator, Streams) else generator
        sampler = Importance(model, self.steps, self.log_density, differentiable=True)
        log_weights = sampler(Request.of(given.mask, given if given.schema else None), streams).log_weights
        assert log_weights is not None
        return log_weights.view(len(x0), self.draws).var(1) / 2
