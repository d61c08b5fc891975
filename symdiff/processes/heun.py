"""Heun's steps of second order: an Euler step, corrected by the prediction that is made where it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.processes.schedules import KarrasPath, Past, Schedule, StraightPath


def insert_corrections(grid: Tensor, steps: int) -> Tensor:
    """Repeat the inner times of a grid, where a step is corrected.

    The last step has no correction, since there the prediction is the result; with an even number of evaluations, nor
    has the first: a single step of first order leaves the whole trajectory of second order.

    Parameters
    ----------
    grid : Tensor
        (steps // 2 + 2,) times from 1 down to 0.
    steps : int
        Evaluations of the network.

    Returns
    -------
    Tensor
        (steps + 1,): every inner time twice.
    """
    inner = grid[1:-1].repeat_interleave(2)
    return torch.cat([grid[:1], inner[(steps + 1) % 2 :] if len(inner) else inner, grid[-1:]])


class Corrected(Schedule, ABC):
    """Two evaluations a step: ``step`` from t to s < t is Euler's, ``step`` from s to s is its correction.

    With z = x/c(t), a scale c and a noise σ of the path, both solve dz/dσ = (z − x0)/σ.
    """

    @property
    def remembers(self) -> bool:
        """Always: a correction uses the prediction at the beginning of the step."""
        return True

    @property
    def corrects(self) -> bool:
        """Always."""
        return True

    @abstractmethod
    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the noise σ and the scale c of the path.

        Parameters
        ----------
        t : Tensor
            Times, any shape.

        Returns
        -------
        tuple of Tensor
            σ and c in the shape of ``t``, in the precision of ``levels``.
        """

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Take Euler's step for s < t; for s = t repeat it with the mean of the slopes at its two ends."""
        correction = bool(s == t)
        if correction and past is None:
            return x  # a step of no length
        start = past[1].to(t) if correction and past is not None else t
        (sigma_t, sigma_s), (scale_t, scale_s) = (
            level.cpu() for level in self.noise_and_scale(torch.stack([start, s]))
        )
        if not correction or past is None:
            z = x / scale_t
            return (z + (z - x0) / sigma_t * (sigma_s - sigma_t)) * scale_s
        z = x / scale_s
        before = (z - past[0]) / sigma_s  # Euler's step kept this slope: it goes straight to x0
        begin = z - (sigma_s - sigma_t) * before
        return (begin + 0.5 * (before + (z - x0) / sigma_s) * (sigma_s - sigma_t)) * scale_s


@dataclass(frozen=True)
class EDMHeun(Corrected, KarrasPath):
    """EDM's path by Heun's method, EDM's deterministic sampler (algorithm 1).

    Parameters and reference: see ``KarrasPath``.
    """

    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate EDM's σ(t) and the factor that keeps the standard deviation of x_t."""
        return self.sigma(t), self.levels(t)[0]


@dataclass(frozen=True)
class FlowMatchHeunDiscrete(Corrected, StraightPath):
    """The straight path by Heun's method. Parameters and reference: see ``StraightPath``."""

    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate σ as ``levels`` has it, and c = 1: the slope of a straight path is (x − x0)/σ as it is."""
        sigma = self.levels(t)[1]
        return sigma, torch.ones_like(sigma)
