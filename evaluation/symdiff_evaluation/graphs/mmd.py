"""Squared maximum mean discrepancy between two sets of vectors, with the kernels that are published for graphs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from symdiff_evaluation.estimate import Z95, Estimate, nothing
from symdiff_evaluation.graphs.descriptors import align

SIGMAS = {"degree": 1.0, "clustering": 0.1, "orbit": 30.0, "spectral": 1.0}
_CELLS = 1 << 22  # kernel values in memory at a time


@dataclass(frozen=True, eq=False)
class Kernel:
    """What the estimates need of all kernel values, of which k(x, x) = 1.

    ``within`` (n,): the sum over a sample and all others; ``between`` (n,): the mean over a sample and the reference; ``beyond``: the sum over
    all ordered pairs of different ones among the ``reference`` members of the reference.
    """

    within: np.ndarray
    between: np.ndarray
    beyond: float
    reference: int

    def __len__(self) -> int:
        return len(self.within)


def kernel(samples: np.ndarray, reference: np.ndarray, sigma: float) -> Kernel:
    """Of rows (n, width) and (m, width'), the shorter rows ending in zeros."""
    x, y = align(samples, reference)
    within, between = _row_sums(x, x, sigma) - 1, _row_sums(x, y, sigma) / max(len(y), 1)
    return Kernel(within, between, float(_row_sums(y, y, sigma).sum()) - len(y), len(y))


def gaussian_tv(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """(n, m) exp(-TV^2 / 2 sigma^2) with TV half the sum of absolute differences.

    As published (Liao et al. 2019, Martinkus et al. 2022). It is not positive definite (O'Bray et al., Evaluation Metrics for Graph
    Generative Models, ICLR 2022), so that nothing keeps the squared discrepancy of two laws above 0.
    """
    from scipy.spatial.distance import cdist

    distance = cdist(x, y, "cityblock") / 2
    return np.exp(-(distance**2) / (2 * sigma**2))


def biased(kernel: Kernel) -> float:
    """The published estimate: plain means over all pairs, those of a graph with itself included."""
    n, m = len(kernel), kernel.reference
    return float((kernel.within.sum() + n) / n**2 + (kernel.beyond + m) / m**2 - 2 * kernel.between.mean())


def unbiased(kernel: Kernel) -> float:
    """The mean over pairs of different graphs: 0 on average for two sets of one law; needs two of each."""
    n, m = len(kernel), kernel.reference
    return float(kernel.within.sum() / (n * (n - 1)) + kernel.beyond / (m * (m - 1)) - 2 * kernel.between.mean())


def estimate(kernel: Kernel, kind: Literal["biased", "unbiased"] = "biased", undecided: int = 0) -> Estimate:
    """The value with the interval of the jackknife over samples; no value below two of each, no interval below three.

    The reference is what it is: the interval tells what other samples of the same law would give against it.
    """
    if len(kernel) < 2 or kernel.reference < 2:
        return nothing(undecided + len(kernel))
    value = biased(kernel) if kind == "biased" else unbiased(kernel)
    return around(value, left_out(kernel), undecided, 0.0 if kind == "biased" else -math.inf)


def around(value: float, left: np.ndarray, undecided: int = 0, least: float = -math.inf) -> Estimate:
    """``value`` with the jackknife's normal interval, not below ``least``; ``left`` (n,) are the values without one sample each.

    Its variance is too large on average, never too small: Efron and Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981).
    """
    n = len(left)
    if n < 3:
        return Estimate(value, None, None, n, undecided)
    half = Z95 * math.sqrt((n - 1) / n * float(((left - left.mean()) ** 2).sum()))
    return Estimate(value, min(value, max(value - half, least)), value + half, n, undecided)


def left_out(kernel: Kernel) -> np.ndarray:
    """(n,) the unbiased estimate without each sample in turn, but for what does not depend on the samples; zeros below three."""
    n, rows, cross = len(kernel), kernel.within, kernel.between
    if n < 3:
        return np.zeros(n)
    return (rows.sum() - 2 * rows) / ((n - 1) * (n - 2)) - 2 * (cross.sum() - cross) / (n - 1)


def _row_sums(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    step = max(1, _CELLS // max(1, len(y)))
    parts = [gaussian_tv(x[start : start + step], y, sigma).sum(1) for start in range(0, len(x), step)]
    return np.concatenate(parts) if parts else np.zeros(0)
