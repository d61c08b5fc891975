"""Gaussian paths, and the steps along them that diffusers' schedulers of the same names take."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from symdiff.config.ranges import Levels
from symdiff.processes.base import finest

Past = tuple[Tensor, Tensor]
"""The prediction of x0 one step ago, and the time (0-dim) at which it was made."""
Betas = Literal["linear", "scaled_linear", "squaredcos_cap_v2"]


def _fine(t: Tensor) -> Tensor:
    return t.to(finest(t.device))


@dataclass(frozen=True)
class Schedule(ABC):
    """The path x_t = a(t) x0 + b(t) ε from t = 0 (a = 1, b = 0) to t = 1, and a solver that steps along it.

    Final subclasses are named after diffusers' schedulers, whose steps they take (the tests hold them against these),
    at any pair of times. What diffusers offers beyond is not here, for a reason: predictions of noise or velocity (a
    denoiser predicts x0), clipping and thresholding (they depend on the coordinate axes), other spacings of the grid
    (it is the process's), EDM's churn and the stochastic flow (they draw noise that does not belong to a row),
    third-order solvers. EDM's scalings of input and output are ``Gaussian``'s ``preconditioning``.
    """

    @property
    def spread(self) -> float:
        """Standard deviation of the data and of the prior, in the data's unit."""
        return 1.0

    @property
    def renoises(self) -> bool:
        """Whether a step adds fresh noise."""
        return False

    @property
    def remembers(self) -> bool:
        """Whether a step uses the prediction of the step before."""
        return False

    @property
    def corrects(self) -> bool:
        """Whether a step to s is followed by one from s to s, which corrects it with the prediction made there."""
        return False

    @property
    def spec(self) -> dict:
        """The choice as names and numbers."""
        return {"kind": type(self).__name__, **asdict(self)}

    @abstractmethod
    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the path.

        Parameters
        ----------
        t : Tensor
            Times, any shape.

        Returns
        -------
        tuple of Tensor
            a and b in the shape of ``t``, in the finest precision of the device (``finest``).
        """

    @abstractmethod
    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Step from t to s <= t.

        Parameters
        ----------
        x : Tensor
            x_t, any shape.
        x0 : Tensor
            The prediction of the clean structure at t, like ``x``.
        t, s : Tensor
            One pair of times for all of ``x``, 0-dim.
        noise : Tensor or None
            Standard normal, like ``x``: for schedules that ``renoises``.
        past : Past or None
            For schedules that ``remembers``; None in the first step.

        Returns
        -------
        Tensor
            x_s, like ``x``.
        """

    def draw_times(self, u: Tensor) -> Tensor:
        """Turn uniform numbers into training times.

        Parameters
        ----------
        u : Tensor
            Uniform in (0, 1], any shape.

        Returns
        -------
        Tensor
            Times in (0, 1], like ``u``.
        """
        return u


class _VariancePreserving(Schedule, ABC):
    """a² + b² = 1, with a² from the β of a discrete chain, interpolated linearly between its levels."""

    levels_count: Levels
    beta_schedule: Betas
    beta_start: float
    beta_end: float

    @cached_property
    def _signal(self) -> Tensor:
        """a² at the levels 0, 1, ..., ``levels_count``: rounded as diffusers' tables are, in float32."""
        betas = make_betas(self.beta_schedule, self.levels_count, self.beta_start, self.beta_end)
        return torch.cat([torch.ones(1), (1.0 - betas).cumprod(0)]).double()

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        place = _fine(t) * self.levels_count
        table = self._signal.to(place.dtype).to(t.device)
        low = place.floor().long().clamp(0, self.levels_count - 1)
        square = torch.lerp(table.take(low), table.take(low + 1), place - low)
        return square.sqrt(), (1 - square).sqrt()


def make_betas(schedule: Betas, count: int, start: float, end: float) -> Tensor:
    """Make the variances β that a discrete chain adds at its levels.

    Parameters
    ----------
    schedule : {"linear", "scaled_linear", "squaredcos_cap_v2"}
        Linear in β (Ho et al.), linear in √β (Rombach et al.), or from a squared cosine (Nichol, Dhariwal).
    count : int
        Levels.
    start, end : float
        The first and the last β of the first two.

    Returns
    -------
    Tensor
        (count,), float32.

    References
    ----------
    Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models (NeurIPS 2020).
    Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models (ICML 2021).
    Rombach et al.: High-Resolution Image Synthesis with Latent Diffusion Models (CVPR 2022).
    """
    if schedule == "linear":
        return torch.linspace(start, end, count)
    if schedule == "scaled_linear":
        return torch.linspace(start**0.5, end**0.5, count) ** 2

    def signal(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    return torch.tensor([min(1 - signal((k + 1) / count) / signal(k / count), 0.999) for k in range(count)])


@dataclass(frozen=True)
class DDIM(_VariancePreserving):
    """DDIM: from nearly deterministic steps to the ancestral steps of DDPM.

    Parameters
    ----------
    levels_count : int
        Levels of the discrete chain that the path interpolates.
    beta_schedule : {"linear", "scaled_linear", "squaredcos_cap_v2"}
        See ``make_betas``.
    beta_start, beta_end : float
        The first and the last β of the linear ones.
    eta : float
        The standard deviation of fresh noise, as a multiple of that of ancestral sampling: 0 is deterministic, 1 is
        DDPM.

    References
    ----------
    Song, Meng, Ermon: Denoising Diffusion Implicit Models (ICLR 2021), equations 12 and 16.
    """

    levels_count: Levels = 1000
    beta_schedule: Betas = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    eta: float = 0.0

    @property
    def renoises(self) -> bool:
        """Whether ``eta`` is above 0."""
        return self.eta > 0

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Move along the direction to ε that ``x`` and ``x0`` imply, and add fresh noise where ``eta`` says so."""
        signal_s, signal_t = self.levels(torch.stack([s, t]))[0].square().to(x)  # a²
        fresh = self.eta * ((1 - signal_s) / (1 - signal_t) * (1 - signal_t / signal_s)).sqrt()
        direction = (x - signal_t.sqrt() * x0) / (1 - signal_t).sqrt()
        moved = signal_s.sqrt() * x0 + (1 - signal_s - fresh.square()).sqrt() * direction
        return moved if noise is None else moved + fresh * noise


@dataclass(frozen=True)
class DPMSolverMultistep(_VariancePreserving):
    """DPM-Solver++, with one evaluation a step.

    Parameters
    ----------
    levels_count, beta_schedule, beta_start, beta_end
        As for ``DDIM``.
    order : {1, 2}
        With 2 a step also uses the prediction of the step before.
    solver : {"midpoint", "heun"}
        How the second order is reached.
    stochastic : bool
        Whether the stochastic differential equation is solved, with fresh noise in every step.

    References
    ----------
    Lu et al.: DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models (2022,
    https://arxiv.org/abs/2211.01095).
    """

    levels_count: Levels = 1000
    beta_schedule: Betas = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    order: Literal[1, 2] = 2
    solver: Literal["midpoint", "heun"] = "midpoint"
    stochastic: bool = False

    @property
    def renoises(self) -> bool:
        """Whether the stochastic equation is solved."""
        return self.stochastic

    @property
    def remembers(self) -> bool:
        """Whether the order is 2."""
        return self.order == 2

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Integrate the prediction exactly over ln(a/b): constant, or linear through that of the step before."""
        (_, b_t, log_snr_t), (a_s, b_s, log_snr_s) = self._at(t), self._at(s)
        h = log_snr_s - log_snr_t
        rate = (2.0 if self.stochastic else 1.0) * h
        shrink = b_s / b_t * (-h).exp() if self.stochastic else b_s / b_t
        gain = a_s * (1.0 - (-rate).exp())
        moved = shrink * x + gain * x0
        if past is not None and self.order == 2 and bool(s > 0):  # at s = 0 the second order is not defined
            before, (_, _, log_snr_before) = past[0], self._at(past[1].to(t))
            slope = 1.0 / ((log_snr_t - log_snr_before) / h) * (x0 - before)
            weight = 0.5 * gain if self.solver == "midpoint" else a_s * (1.0 - (1.0 - (-rate).exp()) / rate)
            moved = moved + weight * slope
        return moved if noise is None else moved + b_s * (1.0 - (-2 * h).exp()).sqrt() * noise

    def _at(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """a, b and ln(a/b) at one time, from their ratio as diffusers has it."""
        signal, noise = self.levels(t[None])
        sigma = (noise / signal).cpu()[0]
        a = 1 / (sigma.square() + 1).sqrt()
        b = sigma * a
        return a, b, a.log() - b.log()


@dataclass(frozen=True)
class KarrasPath(Schedule, ABC):
    """EDM's path x0 + σε, scaled so that its standard deviation stays that of the data.

    σ(t) is EDM's grid: σ(t)^(1/ρ) is linear in t > 0. Training draws ln σ from a normal distribution.

    Parameters
    ----------
    sigma_min, sigma_max : float
        The least and the greatest standard deviation of the noise, in the data's unit.
    sigma_data : float
        Standard deviation of the data, in their unit.
    rho : float
        The exponent ρ of the grid.
    log_mean, log_spread : float
        Mean and standard deviation of ln σ in training.

    References
    ----------
    Karras, Aittala, Aila, Laine: Elucidating the Design Space of Diffusion-Based Generative Models (NeurIPS 2022,
    https://arxiv.org/abs/2206.00364).
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    sigma_data: float = 0.5
    rho: float = 7.0
    log_mean: float = -1.2
    log_spread: float = 1.2

    @property
    def spread(self) -> float:
        """``sigma_data``."""
        return self.sigma_data

    def sigma(self, t: Tensor) -> Tensor:
        """Evaluate the standard deviation of the noise in x0 + σε.

        Parameters
        ----------
        t : Tensor
            Times in [0, 1], any shape.

        Returns
        -------
        Tensor
            σ(t) like ``t``, in the data's unit and the precision of ``levels``; 0 at t = 0.
        """
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return torch.where(t > 0, (low + _fine(t) * (high - low)) ** self.rho, 0.0)

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate a = (1 + (σ/sigma_data)²)^−½ and b = aσ."""
        sigma = self.sigma(t)
        shrink = (1 + (sigma / self.sigma_data).square()).rsqrt()
        return shrink, shrink * sigma

    def draw_times(self, u: Tensor) -> Tensor:
        """Draw ln σ from its normal distribution, and return the times at which the path has these σ."""
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        sigma = (self.log_mean + self.log_spread * torch.special.ndtri(u)).exp()
        return ((sigma ** (1 / self.rho) - low) / (high - low)).clamp(1e-6, 1)


@dataclass(frozen=True)
class EDMEuler(KarrasPath):
    """EDM's path in steps of first order. Parameters and reference: see ``KarrasPath``."""

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Take Euler's step of dz/dσ = (z − x0)/σ, where z = x/a."""
        sigma_t, sigma_s = self.sigma(torch.stack([t, s])).cpu()
        z = x / self.levels(t)[0].to(x)
        return (z + (z - x0) / sigma_t * (sigma_s - sigma_t)) * self.levels(s)[0].to(x)


@dataclass(frozen=True)
class StraightPath(Schedule, ABC):
    """The straight path of flow matching, a = 1 − σ and b = σ.

    Parameters
    ----------
    shift : float
        σ = shift·t / (1 + (shift − 1)·t): 1 is σ = t, more spends more of the time at high noise.

    References
    ----------
    Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling (ICLR 2023).
    """

    shift: float = 1.0

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate a = 1 − σ and b = σ."""
        sigma = self.shift * _fine(t) / (1 + (self.shift - 1) * _fine(t))
        return 1 - sigma, sigma


@dataclass(frozen=True)
class FlowMatchEulerDiscrete(StraightPath):
    """The straight path in steps of first order.

    With ``eta`` > 0 a step draws a part of the noise anew, as DDIM's does; the distribution of x_s given x0 stays that
    of the path for every ``eta``.

    Parameters
    ----------
    shift : float
        See ``StraightPath``.
    eta : float
        The standard deviation of fresh noise, as a multiple of that of ancestral sampling, at most all of the noise.

    References
    ----------
    Song, Meng, Ermon: Denoising Diffusion Implicit Models (ICLR 2021), equation 16.
    """

    eta: float = 0.0

    @property
    def renoises(self) -> bool:
        """Whether ``eta`` is above 0."""
        return self.eta > 0

    def step(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Move on the straight line through ``x`` and ``x0``; with ``eta`` part of the noise is drawn anew."""
        if noise is not None and self.renoises:
            (a, b), (a_s, b_s) = ([level.to(x) for level in self.levels(time)] for time in (t, s))
            ancestral = (b_s / b) * (b.square() - (a * b_s / a_s).square()).clamp_min(0).sqrt()
            fresh = torch.minimum(self.eta * ancestral, b_s)
            return a_s * x0 + (b_s.square() - fresh.square()).sqrt() * (x - a * x0) / b + fresh * noise
        sigma_t, sigma_s = self.levels(torch.stack([t, s]))[1].cpu()
        return x + (sigma_s - sigma_t) * ((x - x0) / sigma_t.to(x))
