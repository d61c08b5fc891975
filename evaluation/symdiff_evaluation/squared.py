"""The interval of a squared distance, from its distance without bias: skewed near zero, all but normal far from it.

Such an estimate errs by a linear part, whose variance grows in proportion to the squared distance t, and by a quadratic part, which is all
that is left at t = 0: a weighted sum of centered chi-squares (Serfling, Approximation Theorems of Mathematical Statistics, 1980, chapter 5;
Gretton et al., A Kernel Two-Sample Test, JMLR 13 (2012)). Their sum is taken for a gamma law of the same three moments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import gammaincinv, stdtrit

from symdiff_evaluation.estimate import Z95

_SKEWED = math.sqrt(8)  # of chi-square with one degree of freedom: no weighted sum has more
_SYMMETRIC = 1e-3  # a skewness that no quantile shows


@dataclass(frozen=True)
class Spread:
    """Of an estimate whose expectation is t: variance ``second`` + ``slope`` t, third moment ``third`` + 3/2 ``slope``^2 t.

    ``stretch``: what the uncertainty of the variance itself adds to the reach, 1 for none.
    """

    second: float
    third: float
    slope: float
    stretch: float = 1.0

    def quantile(self, p: float, t: float) -> float:
        """Of the error of the estimate. Where t is below zero, as it is for no true distance, that at zero."""
        t = max(t, 0.0)
        variance = self.second + self.slope * t
        if variance <= 0:
            return 0.0
        skewness = (self.third + 1.5 * self.slope**2 * t) / variance**1.5
        sign, skewness = math.copysign(1.0, skewness), max(abs(skewness), _SYMMETRIC)
        shape = 4 / skewness**2
        reach = (float(gammaincinv(shape, p if sign > 0 else 1 - p)) - shape) / math.sqrt(shape)
        return self.stretch * sign * math.sqrt(variance) * reach


def spread(distance: float, linear: float, freedom: float, second: float, third: float) -> Spread:
    """The spread of an estimate that came out as ``distance``.

    ``linear``: estimated variance of its linear part, ``freedom`` the degrees of freedom of that; ``second`` and ``third`` moment of its
    quadratic part.

    The slope is the linear part's variance over the distance. Both drown in noise near zero: there it is drawn towards ``third / second``, its value
    where the laws differ along the widest directions of their spread; and it is at most 4 (second / 2)^1/2, the root of the
    sum of squares of all directions.
    """
    third = max(min(third, _SKEWED * second**1.5), -_SKEWED * second**1.5)
    linear = max(linear, 0.0)
    if second <= 0:
        return Spread(0.0, 0.0, linear / distance if distance > 0 else 0.0)
    usual, most, noise = max(third, 0.0) / second, 4 * math.sqrt(second / 2), math.sqrt(second) / 2
    slope = (linear + usual * noise) / (max(distance, 0.0) + noise)
    stretch = float(stdtrit(max(freedom, 4.0), 0.975)) / Z95
    return Spread(second, third, min(slope, most), stretch)


def interval(distance: float, spread: Spread) -> tuple[float, float]:
    """All t of which ``distance`` is no surprise at 2.5 % on either side."""
    low = distance - spread.quantile(0.975, 0.0)
    if low > 0:
        low = brentq(lambda t: t + spread.quantile(0.975, t) - distance, 0.0, distance)
    high = distance - spread.quantile(0.025, 0.0)
    if high > 0:
        top = 2 * high
        while top + spread.quantile(0.025, top) < distance:
            top *= 2
        high = brentq(lambda t: t + spread.quantile(0.025, t) - distance, 0.0, top)
    return low, high
