"""Errors of means over samples that may be successive states of Markov chains."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from symdiff_evaluation.core.estimate import Estimate, nothing

_WINDOW = 5.0  # in integrated times: bias exp(-5) against noise


def integrated_time(values: np.ndarray, chain: np.ndarray | None = None) -> float:
    """The integrated autocorrelation time of a series (count,), in steps: 1/2 for independent values.

    The variance of the mean is that of independent values times twice this. ``chain`` (count,) numbers the chain of each
    value, values of one chain standing in the order of time; None means that all values are independent, and 1/2 comes
    back. The sum of the autocorrelations is cut at the first t that is at least five times the sum so far (Madras and
    Sokal, The pivot algorithm, J. Stat. Phys. 50 (1988), appendix C), and the bias from subtracting the measured mean is put
    right (Wolff, Monte Carlo errors with less errors, Comput. Phys. Commun. 156 (2004)).
    """
    return _time(values, chain)[0]


def _time(values: np.ndarray, chain: np.ndarray | None) -> tuple[float, float]:
    """The integrated time, and the degrees of freedom of the variance that it gives, count / (2 window + 1)."""
    count = len(values)
    if chain is None or count < 2:
        return 0.5, count - 1
    centered = values - values.mean()
    parts = [centered[chain == number] for number in np.unique(chain)]
    longest = max(map(len, parts))
    covariance, pairs = np.zeros(longest), np.zeros(longest)
    for part in parts:
        size = len(part)
        power = np.abs(np.fft.rfft(part, 2 * size)) ** 2
        covariance[:size] += np.fft.irfft(power, 2 * size)[:size]
        pairs[:size] += np.arange(size, 0, -1)
    if covariance[0] <= 1e-24 * count * max(float(np.abs(values).max()), 1e-300) ** 2:
        return 0.5, count - 1  # a constant
    correlation = (covariance / pairs) / (covariance[0] / pairs[0])
    sums = 0.5 + np.concatenate([[0.0], np.cumsum(correlation[1:])])
    inside = np.flatnonzero(np.arange(longest) >= _WINDOW * sums)
    window = int(inside[0]) if len(inside) else longest - 1
    return max(float(sums[window]) * (1 + (2 * window + 1) / count), 0.5 / count), max(count / (2 * window + 1), 1.0)


def series_mean(values: np.ndarray, chain: np.ndarray | None = None, low: float = -math.inf, high: float = math.inf) -> Estimate:
    """The mean of a series with a 95 % interval that knows its autocorrelation, kept within ``low`` to ``high``."""
    return derived(lambda means: float(means[0]), values[:, None], chain, low, high)


def derived(
    function: Callable[[np.ndarray], float],
    columns: np.ndarray,
    chain: np.ndarray | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> Estimate:
    """A function of means, of columns (count, k), with the first-order interval over correlated samples.

    The function's gradient at the means turns each sample into its pull on the value; the mean of the pulls has the
    error of the value, with the autocorrelation time of the pulls themselves (Wolff 2004, as above). Derivatives are taken
    over the standard errors of the means. None where the function has no finite value.
    """
    count = len(columns)
    if count == 0:
        return nothing()
    columns = columns.astype(np.float64)
    means = columns.mean(0)
    value = float(function(means))
    if not math.isfinite(value):
        return nothing(count)
    if count < 2:
        return Estimate(value, None, None, count)
    steps = columns.std(0) / math.sqrt(count)
    gradient = np.zeros(len(means))
    for k, step in enumerate(steps):
        if step > 0:
            shift = step * (np.arange(len(means)) == k)
            gradient[k] = (function(means + shift) - function(means - shift)) / (2 * step)
    pulls = (columns - means) @ gradient
    if not np.isfinite(pulls).all():
        return Estimate(value, None, None, count)
    variance = float((pulls * pulls).sum()) / (count - 1)
    time, freedom = _time(pulls, chain)
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(variance * 2 * time / count)
    return Estimate(value, max(value - half, low), min(value + half, high), count)
