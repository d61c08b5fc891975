"""Squared maximum mean discrepancy between two sets of vectors, with the kernels that are published for graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.squared_distance import find_interval, fit_error
from symdiff_evaluation.graphs.descriptors import align

SIGMAS = {"degree": 1.0, "clustering": 0.1, "orbit": 30.0, "spectral": 1.0}
# of each set, from which the spread of products of errors is taken: the eigenvalues of (2 FEW)^2 are half a second's
# work
FEW = 512
LEAST = 4  # of each set that is drawn, for an interval
_CELLS = 1 << 22  # kernel values in memory at a time


@dataclass(frozen=True, eq=False)
class Kernel:
    """Sums of a kernel's values over samples and reference, linear in the kernel.

    Parameters
    ----------
    within : numpy.ndarray, (n,)
        Sum over a sample and all other samples.
    beyond : numpy.ndarray, (m,)
        Sum over a member of the reference and all others of it.
    rows : numpy.ndarray, (n,)
        Mean over a sample and the reference.
    columns : numpy.ndarray, (m,)
        Mean over a member of the reference and the samples.
    few : numpy.ndarray, (a + b, a + b)
        The values among a samples and b members of the reference, at most ``FEW`` of each.
    first : int
        a.
    diagonal : float
        k(x, x).
    """

    within: np.ndarray
    beyond: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    few: np.ndarray
    first: int
    diagonal: float = 1.0


def kernel(samples: np.ndarray, reference: np.ndarray, sigma: float, few: Sequence[np.ndarray] | None = None) -> Kernel:
    """Sum up the kernel of two sets.

    Parameters
    ----------
    samples : numpy.ndarray, (n, width)
        Rows, not empty.
    reference : numpy.ndarray, (m, width')
        Rows, not empty; the shorter rows end in zeros.
    sigma : float
        The width of the kernel.
    few : sequence of numpy.ndarray, optional
        Which of each are ``Kernel.few``; None: ``choose_rows``.

    Returns
    -------
    Kernel
        The sums.
    """
    x, y = align(samples, reference)
    within, beyond = (_sums(part, part, sigma)[0] - 1 for part in (x, y))
    rows, columns = _sums(x, y, sigma)
    a, b = few or (choose_rows(x), choose_rows(y))
    chosen = np.concatenate([x[a], y[b]])
    return Kernel(within, beyond, rows / len(y), columns / len(x), gaussian_tv(chosen, chosen, sigma), len(a))


def choose_rows(rows: np.ndarray) -> np.ndarray:
    """Choose at most ``FEW`` rows by their content, whatever their order.

    Parameters
    ----------
    rows : numpy.ndarray, (n, width)
        The rows.

    Returns
    -------
    numpy.ndarray, (k,)
        Their numbers.
    """
    if len(rows) <= FEW:
        return np.arange(len(rows))
    return np.random.default_rng(0).permutation(np.lexsort(rows.T))[:FEW]


def weigh(kernels: Sequence[Kernel], weights: Sequence[float]) -> Kernel:
    """Add up kernels of the same graphs.

    Parameters
    ----------
    kernels : sequence of Kernel
        The kernels.
    weights : sequence of float
        One a kernel.

    Returns
    -------
    Kernel
        The weighted sum.
    """
    parts: dict[str, Any] = {
        name: sum(weight * getattr(one, name) for one, weight in zip(kernels, weights, strict=True))
        for name in ("within", "beyond", "rows", "columns", "few", "diagonal")
    }
    return Kernel(**parts, first=kernels[0].first)


def gaussian_tv(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """Compute the kernel exp(-TV^2 / 2 sigma^2), TV being half the sum of absolute differences.

    As published (Liao et al. 2019, Martinkus et al. 2022). It is not positive definite (O'Bray et al., Evaluation
    Metrics for Graph Generative Models, ICLR 2022), so that nothing keeps the squared discrepancy of two distributions
    above 0.

    Parameters
    ----------
    x : numpy.ndarray, (n, width)
        Rows.
    y : numpy.ndarray, (m, width)
        Rows.
    sigma : float
        The width of the kernel.

    Returns
    -------
    numpy.ndarray, (n, m)
        Its values.

    References
    ----------
    Liao et al., Efficient Graph Generation with Graph Recurrent Attention Networks, NeurIPS 2019.
    """
    from scipy.spatial.distance import cdist

    distance = cdist(x, y, "cityblock") / 2
    return np.exp(-(distance**2) / (2 * sigma**2))


def biased_mmd(kernel: Kernel) -> float:
    """Compute the published estimate of the squared MMD: plain means over all pairs, those of a graph with itself
    included.

    Parameters
    ----------
    kernel : Kernel
        The kernel's values.

    Returns
    -------
    float
        The squared discrepancy.
    """
    n, m = len(kernel.within), len(kernel.beyond)
    own = (kernel.within.sum() + n * kernel.diagonal) / n**2
    return float(own + (kernel.beyond.sum() + m * kernel.diagonal) / m**2 - 2 * kernel.rows.mean())


def unbiased_mmd(kernel: Kernel) -> float:
    """Compute the mean over pairs of different graphs: 0 on average for two sets of one distribution.

    Parameters
    ----------
    kernel : Kernel
        The kernel's values, of at least two graphs of each set.

    Returns
    -------
    float
        The squared discrepancy.
    """
    n, m = len(kernel.within), len(kernel.beyond)
    return float(kernel.within.sum() / (n * (n - 1)) + kernel.beyond.sum() / (m * (m - 1)) - 2 * kernel.rows.mean())


def towards(kernel: Kernel) -> float:
    """Compute what the biased estimate comes to for more and more samples, without bias: the distance to this very
    reference.

    Parameters
    ----------
    kernel : Kernel
        The kernel's values, of at least two samples.

    Returns
    -------
    float
        The squared discrepancy.
    """
    n, m = len(kernel.within), len(kernel.beyond)
    own = kernel.within.sum() / (n * (n - 1))
    return float(own + (kernel.beyond.sum() + m * kernel.diagonal) / m**2 - 2 * kernel.rows.mean())


def estimate(kernel: Kernel, kind: Literal["biased", "unbiased"] = "biased", undecided: int = 0) -> Estimate:
    """Estimate the squared MMD with its interval.

    Parameters
    ----------
    kernel : Kernel
        The kernel's values; no value below two graphs of each set, no interval below ``LEAST``.
    kind : str
        "biased" is the distance to this very reference: its interval tells what as many other samples would give.
        "unbiased" estimates the distance of the two distributions: its interval allows for the draw of the reference
        too.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        The squared discrepancy.
    """
    n, m = len(kernel.within), len(kernel.beyond)
    if n < 2 or m < 2:
        return nothing(undecided + n)
    drawn = [(kernel.within, kernel.rows), (kernel.beyond, kernel.columns)]
    value, distance = (biased_mmd(kernel), towards(kernel)) if kind == "biased" else (unbiased_mmd(kernel),) * 2
    drawn = drawn[: 1 if kind == "biased" else 2]
    if min(len(own) for own, _ in drawn) < LEAST:
        return Estimate(value, None, None, n, undecided)
    variance, freedom = jackknife(drawn)
    weights = second_order(kernel, kind)
    # the jackknife counts the linear part once and the quadratic part twice (Efron and Stein, Annals of Statistics 9
    # (1981))
    linear = variance - 4 * float(weights @ weights)
    low, high = find_interval(distance, fit_error(distance, linear, freedom, weights))
    low = max(low, min(distance, 0.0))  # no distribution is nearer than the same
    return Estimate(value, value + (low - distance), value + (high - distance), n, undecided)


def second_order(kernel: Kernel, kind: Literal["biased", "unbiased"] = "unbiased") -> np.ndarray:
    """Compute the weights of the centered chi-squares that are the quadratic part of the estimate.

    It is all of its error where both distributions are the same. The weights are the eigenvalues of S = S_x / n + S_y /
    m, where S_x is the covariance of the samples' features (S_x / n alone for "biased", whose reference is fixed), from
    pairs of different graphs. Twice their sum of squares, the variance, is without bias: values are centered as by
    Székely and Rizzo.

    Parameters
    ----------
    kernel : Kernel
        The kernel's values.
    kind : str
        "biased" or "unbiased".

    Returns
    -------
    numpy.ndarray, (k,)
        The weights.

    References
    ----------
    Székely and Rizzo, Partial distance correlation with methods for dissimilarities, Annals of Statistics 42 (2014).
    """
    n, m, a = len(kernel.within), len(kernel.beyond), kernel.first
    own = _center(kernel.few[:a, :a]) / np.sqrt(a * (a - 3.0) * n * (n - 1))
    if kind == "unbiased":
        b = len(kernel.few) - a
        other = _center(kernel.few[a:, a:]) / np.sqrt(b * (b - 3.0) * m * (m - 1))
        cross = kernel.few[:a, a:]
        cross = cross - cross.mean(0) - cross.mean(1, keepdims=True) + cross.mean()
        cross = cross / np.sqrt((a - 1.0) * (b - 1) * n * m)
        own = np.block([[own, cross], [cross.T, other]])
    return np.linalg.eigvalsh(own)


def _center(values: np.ndarray) -> np.ndarray:
    """(n, n) with sums of rows 0 and without the diagonal, so that the sum of squares over n (n - 3) is without
    bias."""
    n = len(values)
    values = values - np.diag(np.diag(values))
    sums = values.sum(0)
    values = values - (sums + sums[:, None]) / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    return values - np.diag(np.diag(values))


def jackknife(drawn: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Compute the jackknife variance of the estimate over the sets that were drawn.

    Parameters
    ----------
    drawn : sequence of (numpy.ndarray, numpy.ndarray)
        Sums within and means across, (n,), of each set.

    Returns
    -------
    tuple of float
        The variance and its degrees of freedom.
    """
    variance, noise = 0.0, 0.0
    for own, cross in drawn:
        n = len(own)
        pulls = own / (n - 2) - cross
        pulls = pulls - pulls.mean()
        square = float((pulls**2).sum()) / (n - 1)
        variance += 4 / n * square
        noise += (4 / n) ** 2 * max(float((pulls**4).mean()) - square**2 * (n - 3) / (n - 1), 0.0) / n
    return variance, 2 * variance**2 / noise if noise > 0 else np.inf


def _sums(x: np.ndarray, y: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the kernel's values over its rows (n,) and over its columns (m,)."""
    rows, columns = np.zeros(len(x)), np.zeros(len(y))
    step = max(1, _CELLS // max(1, len(y)))
    for start in range(0, len(x), step):
        values = gaussian_tv(x[start : start + step], y, sigma)
        rows[start : start + step] = values.sum(1)
        columns += values.sum(0)
    return rows, columns
