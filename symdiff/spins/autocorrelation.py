"""How long a Markov chain remembers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """``time``: τ = ½ + Σ ρ(t), in steps; ``error``: its standard error; ``effective``: the number of independent samples, n/(2τ);
    ``mean`` and ``deviation``: of the series, the latter with its memory."""

    time: float
    error: float
    effective: float
    mean: float
    deviation: float


def memory(series: Tensor, window: float = 6.0) -> Memory:
    """The integrated autocorrelation time of stationary chains, ``series``: (steps, chains) float.

    Correlations are averaged over chains and summed up to the first t >= ``window`` · τ(t) (Madras and Sokal, The pivot
    algorithm, 1988). Raises ValueError where the chains are too short for a window.
    """
    steps, chains = series.shape
    series = series.double()
    centered = series - series.mean()
    size = 1 << (2 * steps - 1).bit_length()
    power = torch.fft.rfft(centered, n=size, dim=0).abs() ** 2
    covariance = torch.fft.irfft(power, n=size, dim=0)[:steps].sum(1) / (chains * torch.arange(steps, 0, -1))
    if not covariance[0] > 0:
        raise ValueError("a series without any change has no autocorrelation time")
    times = 0.5 + (covariance[1:] / covariance[0]).cumsum(0)
    inside = torch.arange(1, steps) >= window * times
    if not bool(inside[: steps // 2].any()):
        raise ValueError(f"chains of {steps} steps are too short for their autocorrelation time")
    stop = int(inside.long().argmax())
    time = max(float(times[stop]), 0.5)
    effective = steps * chains / (2 * time)
    error = time * (2 * (2 * stop + 3) / (steps * chains)) ** 0.5
    return Memory(time, error, effective, float(series.mean()), float((covariance[0] / effective) ** 0.5))
