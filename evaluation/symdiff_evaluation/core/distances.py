"""Distances of distributions: labels by total variation, numbers by Wasserstein, with intervals over records."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from symdiff_evaluation.core.estimate import Z95, Estimate, nothing


def total_variation(rows: Sequence[Mapping[str, int]], target: Mapping[str, int], undecided: int = 0) -> Estimate:
    """Estimate the total variation distance, half the sum of |p - q|, of two distributions of labels.

    The interval is the normal one of the first-order (infinitesimal jackknife) variance over records. Near zero the
    estimate is biased upwards: compare it with that of as many real molecules (README).

    Parameters
    ----------
    rows : sequence of mapping of str to int
        Counts by label, one mapping a record; p are the shares of labels pooled over all.
    target : mapping of str to int
        Counts by label of the reference; q are their shares.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        Between 0 and 1; no value where one side is empty.
    """
    pooled, count = sum_counts(rows), len(rows)
    total, whole = sum(pooled.values()), sum(target.values())
    if not total or not whole:
        return nothing(undecided)
    labels = sorted(set(pooled) | set(target))
    gaps = {label: pooled[label] / total - target.get(label, 0) / whole for label in labels}
    value = math.fsum(abs(gap) for gap in gaps.values()) / 2
    sign = {label: (gap > 0) - (gap < 0) for label, gap in gaps.items()}
    center = sum(sign[label] * number for label, number in pooled.items()) / total
    pulls = [sum(number * (sign[label] - center) for label, number in row.items()) for row in rows]
    error = math.sqrt(math.fsum(pull * pull for pull in pulls)) / total / 2
    return Estimate(value, max(value - Z95 * error, 0.0), min(value + Z95 * error, 1.0), count, undecided)


def wasserstein(
    values: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None, undecided: int = 0
) -> Estimate:
    """Estimate the 1-Wasserstein distance of numbers to a reference distribution.

    Parameters
    ----------
    values : numpy.ndarray, (n,)
        The numbers of the samples.
    target : numpy.ndarray, (m,)
        The points of the reference distribution.
    weights : numpy.ndarray, (m,), optional
        Their weights; None: equal.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        In the unit of the values; interval as in ``total_variation``.
    """
    count = len(values)
    if not count or not len(target):
        return nothing(undecided)
    values = np.sort(values.astype(np.float64))
    order = np.argsort(target)
    target = target[order].astype(np.float64)
    mass = np.full(len(target), 1 / len(target)) if weights is None else weights[order] / weights.sum()
    grid = np.unique(np.concatenate([values, target]))
    distribution = np.concatenate([[0.0], np.cumsum(mass)])[np.searchsorted(target, grid, "right")]
    gap = np.searchsorted(values, grid, "right")[:-1] / count - distribution[:-1]
    steps = np.diff(grid)
    value = float(np.abs(gap) @ steps)
    beyond = np.concatenate([np.cumsum((np.sign(gap) * steps)[::-1])[::-1], [0.0]])  # integral of the sign from x on
    pull = beyond[np.searchsorted(grid, values)]
    half = Z95 * float(pull.std()) / math.sqrt(count)
    return Estimate(value, max(value - half, 0.0), value + half, count, undecided)


def sum_counts(parts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Add up counts of labels.

    Parameters
    ----------
    parts : iterable of mapping of str to int
        Counts by label.

    Returns
    -------
    collections.Counter
        Their sum.
    """
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total
