"""Squared maximum mean discrepancy between two sets of vectors, with the kernels that are published for graphs."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

    ``within`` (n,) and ``beyond`` (m,): the sums over a sample and all other samples, over a member of the reference and all others of it.
    ``rows`` (n,) and ``columns`` (m,): the means over a sample and the reference, over a member of the reference and the samples.
    """

    within: np.ndarray
    beyond: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def kernel(samples: np.ndarray, reference: np.ndarray, sigma: float) -> Kernel:
    """Of rows (n, width) and (m, width'), the shorter rows ending in zeros; neither is empty."""
    x, y = align(samples, reference)
    within, beyond = (_sums(part, part, sigma)[0] - 1 for part in (x, y))
    rows, columns = _sums(x, y, sigma)
    return Kernel(within, beyond, rows / len(y), columns / len(x))


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
    n, m = len(kernel.within), len(kernel.beyond)
    return float((kernel.within.sum() + n) / n**2 + (kernel.beyond.sum() + m) / m**2 - 2 * kernel.rows.mean())


def unbiased(kernel: Kernel) -> float:
    """The mean over pairs of different graphs: 0 on average for two sets of one law; needs two of each."""
    n, m = len(kernel.within), len(kernel.beyond)
    return float(kernel.within.sum() / (n * (n - 1)) + kernel.beyond.sum() / (m * (m - 1)) - 2 * kernel.rows.mean())


def towards(kernel: Kernel) -> float:
    """What the biased estimate comes to for more and more samples, without bias: the distance to this very reference."""
    n, m = len(kernel.within), len(kernel.beyond)
    return float(kernel.within.sum() / (n * (n - 1)) + (kernel.beyond.sum() + m) / m**2 - 2 * kernel.rows.mean())


def estimate(kernel: Kernel, kind: Literal["biased", "unbiased"] = "biased", undecided: int = 0) -> Estimate:
    """The value with its interval; no value below two of each, no interval below three.

    "biased" is the distance to this very reference: its interval tells what as many other samples would give. "unbiased" estimates the
    distance of the two laws: its interval allows for the draw of the reference too.
    """
    n, m = len(kernel.within), len(kernel.beyond)
    if n < 2 or m < 2:
        return nothing(undecided + n)
    if kind == "biased":
        return around(biased(kernel), towards(kernel), [without_samples(kernel)], undecided)
    value = unbiased(kernel)
    return around(value, value, [without_samples(kernel), _without(kernel.beyond, kernel.columns)], undecided)


def around(value: float, distance: float, left: Sequence[np.ndarray], undecided: int = 0) -> Estimate:
    """``value`` with its 95 % interval; ``distance``: the squared distance without bias, which moves with the value.

    ``left``: for each set that was drawn, samples first, the values without one member each. Their jackknife variance V is, as that of
    squared distances, taken to be in proportion to the distance: the interval holds all t with (distance - t)^2 <= z^2 V t / distance, moved
    to ``value``. (A distance below z times the root of V counts as that.) Simulated coverage is 93 to 96 %, and 98 % at zero.
    Source of the jackknife: Efron and Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981).
    """
    n = len(left[0])
    if min(map(len, left)) < 3:
        return Estimate(value, None, None, n, undecided)
    square = Z95**2 * sum((len(part) - 1) / len(part) * float(((part - part.mean()) ** 2).sum()) for part in left)
    lean = square / max(distance, math.sqrt(square)) / 2 if square > 0 else 0.0
    reach = math.sqrt(lean * lean + square)
    return Estimate(value, value + lean - reach, value + lean + reach, n, undecided)


def without_samples(kernel: Kernel) -> np.ndarray:
    """(n,) the unbiased estimate without each sample in turn, but for what does not depend on the samples; zeros below three."""
    return _without(kernel.within, kernel.rows)


def _without(own: np.ndarray, cross: np.ndarray) -> np.ndarray:
    n = len(own)
    if n < 3:
        return np.zeros(n)
    return (own.sum() - 2 * own) / ((n - 1) * (n - 2)) - 2 * (cross.sum() - cross) / (n - 1)


def _sums(x: np.ndarray, y: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the kernel's values over its rows (n,) and over its columns (m,)."""
    rows, columns = np.zeros(len(x)), np.zeros(len(y))
    step = max(1, _CELLS // max(1, len(y)))
    for start in range(0, len(x), step):
        values = gaussian_tv(x[start : start + step], y, sigma)
        rows[start : start + step] = values.sum(1)
        columns += values.sum(0)
    return rows, columns
