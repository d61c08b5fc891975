"""Heun's steps of second order: a step of Euler, mended by the prediction that is made where it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from diffusers import FlowMatchHeunDiscreteScheduler
from torch import Tensor

from symdiff.processes.schedules import KarrasPath, Past, Schedule, StraightPath


def corrected(grid: Tensor, steps: int) -> Tensor:
    """The times of ``steps`` evaluations on ``grid`` (steps // 2 + 2,): every inner time twice, behind the step to it
    and again.

    The last step has no correction, since there the prediction is the result; with an even number, nor has the first. A
    single step of first order leaves the whole of second order.
    """
    inner = grid[1:-1].repeat_interleave(2)
    return torch.cat([grid[:1], inner[(steps + 1) % 2 :] if len(inner) else inner, grid[-1:]])


class Corrected(Schedule, ABC):
    """Two evaluations a step: ``step`` from t to s < t is Euler's, ``step`` from s to s is its correction.

    With z = x/c(t), a scale c and a noise σ of the path, both solve dz/dσ = (z − x0)/σ, which is what the scheduler
    steps along.
    """

    remembers = True
    corrects = True

    @abstractmethod
    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(σ, c) at times ``t``."""

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        correction = bool(s == t)
        if correction and past is None:
            return x  # a step of no length
        start = past[1].to(t) if correction and past is not None else t
        sigmas, scales = (level.cpu() for level in self.noise_and_scale(torch.stack([start, s])))
        scheduler = FlowMatchHeunDiscreteScheduler()
        scheduler.sigmas, scheduler.dt = sigmas, None  # without dt, a step of Euler
        scheduler.set_begin_index(int(correction))
        z = x / scales[int(correction)].to(x)
        if correction and past is not None:
            scheduler.dt = sigmas[1] - sigmas[0]
            scheduler.prev_derivative = (z - past[0]) / sigmas[1].to(
                x
            )  # Euler's step kept this slope: it goes straight to x0
            scheduler.sample = z - scheduler.dt.to(x) * scheduler.prev_derivative
        slope = (z - x0) / sigmas[int(correction)].to(x)
        return scheduler.step(slope, float(t), z).prev_sample.to(x) * scales[1].to(x)


@dataclass(frozen=True)
class EDMHeun(Corrected, KarrasPath):
    """EDM's path by Heun's method: its deterministic sampler (Karras et al., NeurIPS 2022, algorithm 1)."""

    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return self.sigma(t), self.levels(t)[0]


@dataclass(frozen=True)
class FlowMatchHeunDiscrete(Corrected, StraightPath):
    """The straight path by Heun's method."""

    def noise_and_scale(self, t: Tensor) -> tuple[Tensor, Tensor]:
        sigma = self.levels(t)[1]
        return sigma, torch.ones_like(sigma)
