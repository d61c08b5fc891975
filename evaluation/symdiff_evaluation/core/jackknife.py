"""The variance of a number by leaving out groups of records, and each two of them."""

from __future__ import annotations

import numpy as np


def variances(one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """Estimate the variances of the linear and of the quadratic part of a statistic by leaving out groups of records.

    To second order a statistic of G groups of equal size is a mean of the effects of each, plus sum q_gh / G^2 of joint
    effects of each two. Leaving out one at a time counts the variance of the first once and that of the second twice,
    which is all that is left where the statistic is at a minimum or maximum. What leaving out two changes beyond each
    alone, q_gh / (G - 2)^2, says how much that is.

    Parameters
    ----------
    one : numpy.ndarray, (G,)
        The statistic without each group; G is at least 4.
    two : numpy.ndarray, (G, G)
        The statistic without each two groups; the diagonal is not looked at.

    Returns
    -------
    tuple of float
        Variance of the linear and of the quadratic part.

    References
    ----------
    Efron and Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981).
    """
    groups = len(one)
    spread = float(((one - one.mean()) ** 2).sum()) * (groups - 1) / groups
    two = two - np.diag(np.diag(two))
    rows = two.sum(0) / (groups - 2)
    two = two - rows - rows[:, None] + two.sum() / ((groups - 1) * (groups - 2))
    two = two - np.diag(np.diag(two))
    product = (groups - 2) ** 4 * float((two**2).sum()) / (groups * (groups - 3))
    twice = (groups - 2) / (groups * (groups - 1) ** 2) * product
    once = (groups - 1) / (2 * groups**3) * product
    return max(spread - twice, 0.0), once
