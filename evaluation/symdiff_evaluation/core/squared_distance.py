"""The interval of a squared distance, from its estimate without bias: skewed near zero, all but normal far from it.

Such an estimate errs by a linear part, whose variance grows in proportion to the squared distance t, and by a quadratic
one, all that is left at t = 0: a weighted sum of centered chi-squares (Serfling, Approximation Theorems of Mathematical
Statistics, 1980, chapter 5; Gretton et al., A Kernel Two-Sample Test, JMLR 13 (2012)).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

from symdiff_evaluation.core.estimate import Z95

_DUST = 1e-6  # of the largest weight: below, a chi-square adds nothing
_NEAREST, _FURTHEST = 1e-3, 1e12  # where saddle points are looked for, times one over the deviation
_PRECISE = 1e-5  # of an end


@dataclass(frozen=True, eq=False)
class ErrorDistribution:
    """The distribution of the error of an estimate whose expectation is t.

    It is that of sum ``weights`` (chi-square - its mean), and of a chi-square of weight ``slope`` / 4, noncentral so
    that its variance is ``slope`` t.

    Parameters
    ----------
    weights : numpy.ndarray, (k,)
        Weights of the chi-squares.
    times : numpy.ndarray, (k,)
        Their degrees of freedom.
    slope : float
        Variance of the linear part over t.
    stretch : float
        Factor for the uncertainty of the variances, 1 for none.
    """

    weights: np.ndarray
    times: np.ndarray
    slope: float
    stretch: float = 1.0

    @property
    def second(self) -> float:
        """Variance of the quadratic part."""
        return 2 * float(self.times @ self.weights**2)

    def quantile(self, p: float, t: float) -> float:
        """Compute a quantile of the error by the saddle point.

        Parameters
        ----------
        p : float
            Probability, between 0 and 1.
        t : float
            Expectation of the estimate; below zero, as no true distance is, zero is taken.

        Returns
        -------
        float
            The quantile.

        References
        ----------
        Lugannani and Rice, Saddle point approximation for the distribution of the sum of independent random variables,
        Advances in Applied Probability 12 (1980).
        """
        t = max(t, 0.0)
        deviation = math.sqrt(self.second + self.slope * t)
        if deviation <= 0:
            return 0.0
        # the saddle lies where all 1 - 2 weight z are above zero
        known = np.append(self.weights, self.slope / 4 if t > 0 else 0.0) / deviation
        most = known.max() if p > 0.5 else -known.min()
        furthest = (1 - 1e-12) / (2 * most) if most > 1 / _FURTHEST else _FURTHEST
        sign = 1.0 if p > 0.5 else -1.0

        def gap(log: float) -> float:
            return self._error_at(sign * math.exp(log), t, deviation)[1] - p

        ends = math.log(_NEAREST * min(furthest, 1.0)), math.log(furthest)
        if gap(ends[0]) * gap(ends[1]) > 0:  # the distribution ends before
            return self.stretch * deviation * self._error_at(sign * furthest, t, deviation)[0]
        z = sign * math.exp(_root(gap, *ends, 1e-6))
        return self.stretch * deviation * self._error_at(z, t, deviation)[0]

    def _error_at(self, z: float, t: float, deviation: float) -> tuple[float, float]:
        """The error, in deviations, whose saddle point is z, and the probability of less."""
        weights, w, t = self.weights / deviation, self.slope / 4 / deviation, t / deviation
        left = 1 - 2 * z * weights
        far = 1 - 2 * z * w
        value = float(self.times @ (-np.log(left) / 2 - z * weights)) + 2 * w * t * z * z / far
        error = float(self.times @ (weights / left - weights)) + t * (1 / far**2 - 1)
        curve = 2 * float(self.times @ (weights / left) ** 2) + 4 * w * t / far**3
        r = math.copysign(math.sqrt(max(2 * (z * error - value), 0.0)), z)
        u = z * math.sqrt(curve)
        density = math.exp(-r * r / 2) / math.sqrt(2 * math.pi)
        return error, float(ndtr(r)) + density * (1 / r - 1 / u)


def fit_error(
    distance: float, linear: float, freedom: float, weights: np.ndarray, times: np.ndarray | None = None
) -> ErrorDistribution:
    """Fit the distribution of the error of a squared distance.

    The slope is the linear part's variance over the distance. Both drown in noise near zero: there it is drawn towards
    its value where the distributions differ along their widest directions, 4 sum w^3 / sum w^2; and it is at most 4
    (sum w^2)^1/2, four times the widest.

    Parameters
    ----------
    distance : float
        The estimate, without bias.
    linear : float
        Estimated variance of its linear part.
    freedom : float
        Degrees of freedom of that variance.
    weights : numpy.ndarray, (k,)
        Weights of the chi-squares of its quadratic part.
    times : numpy.ndarray, (k,), optional
        Their degrees of freedom; None: 1.

    Returns
    -------
    ErrorDistribution
        The distribution of the error.
    """
    times = np.ones(len(weights)) if times is None else times
    kept = np.abs(weights) > _DUST * np.abs(weights).max(initial=0.0)
    weights, times = weights[kept], times[kept]
    linear, squares = max(linear, 0.0), float(times @ weights**2)
    if squares <= 0:
        return ErrorDistribution(weights, times, linear / distance if distance > 0 else 0.0)
    usual, most, noise = (
        4 * max(float(times @ weights**3), 0.0) / squares,
        4 * math.sqrt(squares),
        math.sqrt(squares / 2),
    )
    slope = (linear + usual * noise) / (max(distance, 0.0) + noise)
    # Student's reach for the share of the variance that the linear part has
    stretch = 1 + (float(stdtrit(max(freedom, 4.0), 0.975)) / Z95 - 1) * linear / (linear + 2 * squares)
    return ErrorDistribution(weights, times, min(slope, most), stretch)


def match_gamma(second: float, third: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the chi-square with a given variance and third moment.

    Parameters
    ----------
    second, third : float
        Variance and third central moment.

    Returns
    -------
    tuple of numpy.ndarray, (1,)
        Its weight and its degrees of freedom; empty where the variance is 0.
    """
    if second <= 0:
        return np.zeros(0), np.zeros(0)
    weight = max(third / (4 * second), 1e-3 * math.sqrt(second))
    return np.array([weight]), np.array([second / (2 * weight**2)])


def find_interval(distance: float, spread: ErrorDistribution) -> tuple[float, float]:
    """Find the 95 % interval: all t of which the estimate is no surprise at 2.5 % on either side.

    Parameters
    ----------
    distance : float
        The estimate, without bias.
    spread : ErrorDistribution
        The distribution of its error.

    Returns
    -------
    tuple of float
        Ends of the interval; those below 0 are by the distribution at t = 0.
    """
    low = distance - spread.quantile(0.975, 0.0)
    if low > 0:
        low = _root(lambda t: t + spread.quantile(0.975, t) - distance, 0.0, distance, _PRECISE * distance)
    high = distance - spread.quantile(0.025, 0.0)
    if high > 0:
        top = 2 * high
        while top + spread.quantile(0.025, top) < distance:
            top *= 2
        high = _root(lambda t: t + spread.quantile(0.025, t) - distance, 0.0, top, _PRECISE * top)
    return low, high


def _root(function: Callable[[float], float], low: float, high: float, precision: float) -> float:
    """Where ``function`` is 0 between ``low`` and ``high``, whose values differ in sign."""
    return float(brentq(function, low, high, xtol=precision))  # type: ignore[arg-type]  # one number: no full output
