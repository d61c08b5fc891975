"""Squared maximum mean discrepancy between two sets of vectors, with the kernels that are published for graphs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from symdiff_evaluation.estimate import Z95, Estimate, nothing
from symdiff_evaluation.graphs.descriptors import align

SIGMAS = {"degree": 1.0, "clustering": 0.1, "orbit": 30.0, "spectral": 1.0}
_CELLS = 1 << 22  # numbers in memory for one block of distances


@dataclass(frozen=True, eq=False)
class Gram:
    """Kernel values within the samples (n, n), between samples and reference (n, m), and within the reference (m, m)."""

    within: np.ndarray
    between: np.ndarray
    beyond: np.ndarray


def gram(samples: np.ndarray, reference: np.ndarray, sigma: float) -> Gram:
    """All kernel values of rows (n, width) and (m, width'), the shorter rows ending in zeros."""
    x, y = align(samples, reference)
    return Gram(gaussian_tv(x, x, sigma), gaussian_tv(x, y, sigma), gaussian_tv(y, y, sigma))


def gaussian_tv(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """(n, m) exp(-TV^2 / 2 sigma^2) with TV half the sum of absolute differences.

    As published (Liao et al. 2019, Martinkus et al. 2022). It is not positive definite (O'Bray et al., Evaluation Metrics for Graph
    Generative Models, ICLR 2022), so that nothing keeps the squared discrepancy of two laws above 0.
    """
    distance = np.empty((len(x), len(y)))
    step = max(1, _CELLS // max(1, y.size))
    for start in range(0, len(x), step):
        distance[start : start + step] = np.abs(x[start : start + step, None] - y[None]).sum(-1) / 2
    return np.exp(-(distance**2) / (2 * sigma**2))


def biased(gram: Gram) -> float:
    """The published estimate: plain means over all pairs, those of a graph with itself included."""
    return float(gram.within.mean() + gram.beyond.mean() - 2 * gram.between.mean())


def unbiased(gram: Gram) -> float:
    """The mean over pairs of different samples: 0 on average for two sets of one law; needs two of each."""
    return _off_diagonal(gram.within) + _off_diagonal(gram.beyond) - 2 * float(gram.between.mean())


def estimate(gram: Gram, kind: Literal["biased", "unbiased"] = "biased", undecided: int = 0) -> Estimate:
    """The value with the interval of the jackknife over samples; no value below two of each, no interval below three.

    The reference is what it is: the interval tells what other samples of the same law would give against it.
    """
    n, m = gram.between.shape
    if n < 2 or m < 2:
        return nothing(undecided + n)
    value = biased(gram) if kind == "biased" else unbiased(gram)
    if n < 3:
        return Estimate(value, None, None, n, undecided)
    half = Z95 * math.sqrt(jackknife_variance(gram))
    return Estimate(value, value - half, value + half, n, undecided)


def jackknife_variance(gram: Gram) -> float:
    """The jackknife's variance of the unbiased estimate over three or more samples.

    Efron and Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981): it is too large on average, never too small.
    """
    n = len(gram.within)
    rows = gram.within.sum(1) - np.diag(gram.within)
    cross = gram.between.mean(1)
    left = (rows.sum() - 2 * rows) / ((n - 1) * (n - 2)) - 2 * (cross.sum() - cross) / (n - 1)
    return float((n - 1) / n * ((left - left.mean()) ** 2).sum())


def _off_diagonal(square: np.ndarray) -> float:
    n = len(square)
    return float((square.sum() - np.trace(square)) / (n * (n - 1)))
