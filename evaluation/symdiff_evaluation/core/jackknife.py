"""The variance of a number by leaving out groups of records, and each two of them."""

from __future__ import annotations

import numpy as np


def variances(one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """Of the linear and of the quadratic part, from the number without each group (G,) and without each two groups (G,
    G), whose diagonal is not looked at; G is at least 4.

    To second order the number of G groups of equal size is a mean of what each does, plus sum q_gh / G^2 of what each
    two do together. Leaving out one at a time counts the variance of the first once and that of the second twice (Efron
    and Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981)), which is all that is left where the
    number is at a minimum or maximum of what laws can have. What leaving out two changes beyond each alone, q_gh / (G -
    2)^2, says how much that is.
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
