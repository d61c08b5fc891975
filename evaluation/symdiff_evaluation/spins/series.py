"""Errors of means over samples that may be successive states of Markov chains."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from symdiff.spins.autocorrelation import integrated_time
from symdiff_evaluation.core.estimate import Estimate, nothing


def series_mean(
    values: np.ndarray, chain: np.ndarray | None = None, low: float = -math.inf, high: float = math.inf
) -> Estimate:
    """Estimate the mean of a series with a 95 % interval that knows its autocorrelation.

    Parameters
    ----------
    values : numpy.ndarray, (count,)
        The series.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each value, in the order of time; None: independent.
    low, high : float
        The interval is kept within this range.

    Returns
    -------
    Estimate
        The mean.
    """
    return estimate_function(lambda means: float(means[0]), values[:, None], chain, low, high)


def estimate_function(
    function: Callable[[np.ndarray], float],
    columns: np.ndarray,
    chain: np.ndarray | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> Estimate:
    """Estimate a function of means with the first-order interval over correlated samples.

    The function's gradient at the means turns each sample into its pull on the value; the mean of the pulls has the
    error of the value, with the autocorrelation time of the pulls themselves. Derivatives are taken over the standard
    errors of the means.

    Parameters
    ----------
    function : callable
        From means (k,) to a number.
    columns : numpy.ndarray, (count, k)
        Numbers whose means are taken.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each row, in the order of time; None: independent.
    low, high : float
        The interval is kept within this range.

    Returns
    -------
    Estimate
        No value where the function has no finite one.

    References
    ----------
    Wolff, Monte Carlo errors with less errors, Computer Physics Communications 156 (2004).
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
    time, freedom = integrated_time(pulls, chain)
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(variance * 2 * time / count)
    return Estimate(value, max(value - half, low), min(value + half, high), count)
