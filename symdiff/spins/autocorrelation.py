"""How long a Markov chain remembers: integrated autocorrelation times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

WINDOW = 5.0
"""Where the sum over autocorrelations is cut, in integrated times: a bias of exp(-5) against noise."""


@dataclass(frozen=True)
class Memory:
    """What a stationary series remembers.

    Attributes
    ----------
    time : float
        Integrated autocorrelation time τ = ½ + Σ ρ(t), in steps: ½ for independent values.
    error : float
        Standard error of the time.
    effective : float
        Number of independent values, n/(2τ).
    mean, deviation : float
        Mean of the series, and the standard error of that mean.
    """

    time: float
    error: float
    effective: float
    mean: float
    deviation: float


def memory(series: Tensor, window: float = 6.0) -> Memory:
    """Measure stationary chains of one length.

    Parameters
    ----------
    series : Tensor
        (steps, chains), real numbers.
    window : float
        The sum over autocorrelations is cut at the first t of at least ``window`` times the sum so far.

    Returns
    -------
    Memory
        Of all chains together, without the correction of ``integrated_time``.

    Raises
    ------
    ValueError
        Where the chains are too short for a window, or do not change.
    """
    steps, chains = series.shape
    values = series.double().numpy()
    covariance, pairs = autocovariance(list((values - values.mean()).T))
    if not covariance[0] > 0:
        raise ValueError("a series without any change has no autocorrelation time")
    covariance = covariance / pairs
    times = 0.5 + np.cumsum(covariance[1:] / covariance[0])
    inside = np.arange(1, steps) >= window * times
    if not inside[: steps // 2].any():
        raise ValueError(f"chains of {steps} steps are too short for their autocorrelation time")
    stop = int(inside.argmax())
    time = max(float(times[stop]), 0.5)
    effective = steps * chains / (2 * time)
    error = time * (2 * (2 * stop + 3) / (steps * chains)) ** 0.5
    return Memory(time, error, effective, float(values.mean()), float((covariance[0] / effective) ** 0.5))


def integrated_time(values: np.ndarray, chain: np.ndarray | None = None) -> tuple[float, float]:
    """Measure the integrated autocorrelation time of chains of any lengths.

    The variance of the mean is that of independent values times twice this time.

    Parameters
    ----------
    values : numpy.ndarray
        (count,), those of one chain in the order of time.
    chain : numpy.ndarray, optional
        (count,), the number of each value's chain; None for independent values.

    Returns
    -------
    tuple of float
        The time in steps, ½ for independent values, corrected for the bias from subtracting the measured mean; and the
        degrees of freedom of the variance that it gives, count / (2 · window + 1).

    References
    ----------
    Madras and Sokal, The pivot algorithm, J. Stat. Phys. 50 (1988), appendix C: the window. Wolff, Monte Carlo errors
    with less errors, Comput. Phys. Commun. 156 (2004): the correction.
    """
    count = len(values)
    if chain is None or count < 2:
        return 0.5, count - 1
    centered = values - values.mean()
    covariance, pairs = autocovariance([centered[chain == number] for number in np.unique(chain)])
    if covariance[0] <= 1e-24 * count * max(float(np.abs(values).max()), 1e-300) ** 2:
        return 0.5, count - 1  # a constant
    correlation = (covariance / pairs) / (covariance[0] / pairs[0])
    sums = 0.5 + np.concatenate([[0.0], np.cumsum(correlation[1:])])
    inside = np.flatnonzero(np.arange(len(sums)) >= WINDOW * sums)
    window = int(inside[0]) if len(inside) else len(sums) - 1
    return max(float(sums[window]) * (1 + (2 * window + 1) / count), 0.5 / count), max(count / (2 * window + 1), 1.0)


def autocovariance(chains: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sum products of values t steps apart, over chains of centered values.

    Parameters
    ----------
    chains : sequence of ndarray
        Each (steps,), of any lengths, with the mean subtracted.

    Returns
    -------
    covariance : ndarray, (T,)
        The sums of the products for t = 0, 1, ..., T - 1, with T steps in the longest chain.
    pairs : ndarray, (T,)
        How many products each sum has.
    """
    longest = max(map(len, chains))
    covariance, pairs = np.zeros(longest), np.zeros(longest)
    for values in chains:
        size = len(values)
        power = np.abs(np.fft.rfft(values, 2 * size)) ** 2
        covariance[:size] += np.fft.irfft(power, 2 * size)[:size]
        pairs[:size] += np.arange(size, 0, -1)
    return covariance, pairs
