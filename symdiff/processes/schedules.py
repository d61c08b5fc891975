"""Gaussian paths, and the steps of diffusers' schedulers along them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EDMEulerScheduler,
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor

from symdiff.config.ranges import Levels
from symdiff.processes.base import finest

Past = tuple[Tensor, Tensor]
"""The prediction of x0 one step ago, and the time (0-dim) at which it was made."""
Betas = Literal["linear", "scaled_linear", "squaredcos_cap_v2"]


def _fine(t: Tensor) -> Tensor:
    return t.to(finest(t.device))


class Schedule(ABC):
    """The path x_t = a(t) x0 + b(t) ε from t = 0 (a = 1, b = 0) to t = 1, for data of spread ``spread``.

    Its final subclasses are named after diffusers' schedulers and are all that can be chosen. A step takes a
    scheduler of that name which holds the levels of this one step, so that any times and any batch may be stepped.
    What diffusers offers beyond is not here, for a reason: predictions of noise or velocity (a denoiser predicts x0),
    clipping and thresholding (they depend on the coordinate axes), other spacings of the grid (it is the process's),
    EDM's churn and the stochastic flow (they draw noise that does not belong to a row), third-order solvers. EDM's
    scalings of input and output are ``Gaussian``'s ``preconditioning``.
    """

    spread: float = 1.0
    """Standard deviation of the data, in the data's unit, and of the prior."""
    renoises: bool = False
    """Whether a step adds fresh noise."""
    remembers: bool = False
    """Whether a step uses the prediction of the step before."""
    corrects: bool = False
    """Whether a step to s is followed by another one from s to s, which mends it with the prediction made there."""

    @property
    def spec(self) -> dict:
        """The choice as names and numbers."""
        return {"kind": type(self).__name__, **asdict(self)}

    @abstractmethod
    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(a, b) at times ``t`` (any shape), as fine as the device computes (``finest``)."""

    @abstractmethod
    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """x_s from x_t and the prediction of x0, for one pair of times (0-dim); ``noise`` standard normal like x."""

    def draw_times(self, u: Tensor) -> Tensor:
        """Training times in (0, 1] from uniform numbers."""
        return u


class _VariancePreserving(Schedule, ABC):
    """a² + b² = 1, with a² from the β of a discrete chain, interpolated linearly between its levels."""

    levels_count: Levels
    beta_schedule: Betas
    beta_start: float
    beta_end: float

    @cached_property
    def _signal(self) -> Tensor:
        scheduler = DDIMScheduler(
            num_train_timesteps=self.levels_count,
            beta_schedule=self.beta_schedule,
            beta_start=self.beta_start,
            beta_end=self.beta_end,
        )
        return torch.cat([torch.ones(1), scheduler.alphas_cumprod]).double()

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        place = _fine(t) * self.levels_count
        table = self._signal.to(place.dtype).to(t.device)
        low = place.floor().long().clamp(0, self.levels_count - 1)
        square = torch.lerp(table.take(low), table.take(low + 1), place - low)
        return square.sqrt(), (1 - square).sqrt()


@dataclass(frozen=True)
class DDIM(_VariancePreserving):
    """Song et al., Denoising Diffusion Implicit Models (ICLR 2021); ``eta`` = 1 is the ancestral DDPM."""

    levels_count: Levels = 1000
    beta_schedule: Betas = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    eta: float = 0.0

    @property
    def renoises(self) -> bool:
        return self.eta > 0

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        scheduler = DDIMScheduler(num_train_timesteps=2, clip_sample=False, prediction_type="sample")
        scheduler.alphas_cumprod = self.levels(torch.stack([s, t]))[0].square().to(x)
        scheduler.set_timesteps(2)
        return scheduler.step(x0, 1, x, eta=self.eta, variance_noise=noise).prev_sample


@dataclass(frozen=True)
class DPMSolverMultistep(_VariancePreserving):
    """Lu et al., DPM-Solver++ (2022), of order 1 or 2; ``stochastic`` is its SDE variant."""

    levels_count: Levels = 1000
    beta_schedule: Betas = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    order: Literal[1, 2] = 2
    solver: Literal["midpoint", "heun"] = "midpoint"
    stochastic: bool = False

    @property
    def renoises(self) -> bool:
        return self.stochastic

    @property
    def remembers(self) -> bool:
        return self.order == 2

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        scheduler = DPMSolverMultistepScheduler(
            solver_order=self.order,
            solver_type=self.solver,
            prediction_type="sample",
            algorithm_type="sde-dpmsolver++" if self.stochastic else "dpmsolver++",
        )
        times = torch.stack(([] if past is None else [past[1].to(t)]) + [t, s])
        signal, spoilt = self.levels(times)
        last = int(s == 0)  # there the second-order formula is not defined, and diffusers falls back to the first
        scheduler.num_inference_steps = len(times) - last
        scheduler.timesteps = torch.arange(len(times) - last).flip(0)
        scheduler.sigmas = (spoilt / signal).cpu()
        scheduler.set_begin_index(len(times) - 2)
        if past is not None:
            scheduler.model_outputs[-1] = past[0]
            scheduler.lower_order_nums = 1
        return scheduler.step(x0, times[-2], x, variance_noise=noise).prev_sample


@dataclass(frozen=True)
class KarrasPath(Schedule, ABC):
    """x0 + σε, shrunk so that its spread stays that of the data, ``sigma_data``; σ(t) is EDM's grid, t in steps of 1.

    Training draws ln σ from a normal law. σ in the data's unit. Karras et al., Elucidating the Design Space of
    Diffusion-Based Generative Models (NeurIPS 2022, https://arxiv.org/abs/2206.00364).
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    sigma_data: float = 0.5
    rho: float = 7.0
    log_mean: float = -1.2
    log_spread: float = 1.2

    @property
    def spread(self) -> float:
        return self.sigma_data

    def sigma(self, t: Tensor) -> Tensor:
        """The standard deviation of the noise at times ``t``, as fine as ``levels``."""
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return torch.where(t > 0, (low + _fine(t) * (high - low)) ** self.rho, 0.0)

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        sigma = self.sigma(t)
        shrink = (1 + (sigma / self.sigma_data).square()).rsqrt()
        return shrink, shrink * sigma

    def draw_times(self, u: Tensor) -> Tensor:
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        sigma = (self.log_mean + self.log_spread * torch.special.ndtri(u)).exp()
        return ((sigma ** (1 / self.rho) - low) / (high - low)).clamp(1e-6, 1)


@dataclass(frozen=True)
class EDMEuler(KarrasPath):
    """EDM's path in steps of first order."""

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        scheduler = EDMEulerScheduler(self.sigma_min, self.sigma_max, self.sigma_data, rho=self.rho)
        scheduler.sigmas = self.sigma(torch.stack([t, s])).cpu()
        scheduler.set_begin_index(0)
        scheduler.is_scale_input_called = True  # the input's scale is that of the path already
        (before, _), (after, _) = self.levels(t), self.levels(s)
        return scheduler.step(x0, float(t), x / before.to(x), pred_original_sample=x0).prev_sample * after.to(x)


@dataclass(frozen=True)
class StraightPath(Schedule, ABC):
    """a = 1 − σ, b = σ, with σ = t warped by ``shift`` (Lipman et al., Flow Matching for Generative Modeling, ICLR
    2023)."""

    shift: float = 1.0

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        sigma = self.shift * _fine(t) / (1 + (self.shift - 1) * _fine(t))
        return 1 - sigma, sigma


@dataclass(frozen=True)
class FlowMatchEulerDiscrete(StraightPath):
    """The straight path in steps of first order.

    ``eta`` > 0 draws a part of the noise anew in every step, as DDIM's (Song et al., ICLR 2021, eq. 16): ``eta`` times
    the spread that ancestral sampling draws, at most all of it. What x_s is, given x0, stays the path's for every eta.
    """

    eta: float = 0.0

    @property
    def renoises(self) -> bool:
        return self.eta > 0

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        if self.renoises:
            (a, b), (a_s, b_s) = ([level.to(x) for level in self.levels(time)] for time in (t, s))
            ancestral = (b_s / b) * (b.square() - (a * b_s / a_s).square()).clamp_min(0).sqrt()
            fresh = torch.minimum(self.eta * ancestral, b_s)
            return a_s * x0 + (b_s.square() - fresh.square()).sqrt() * (x - a * x0) / b + fresh * noise
        scheduler = FlowMatchEulerDiscreteScheduler(shift=self.shift)
        scheduler.sigmas = self.levels(torch.stack([t, s]))[1].cpu()
        scheduler.set_begin_index(0)
        velocity = (x - x0) / scheduler.sigmas[0].to(x)
        return scheduler.step(velocity, float(t), x).prev_sample
