"""PolyGraph discrepancy: how well a classifier tells samples from the reference, as a bound on the distance of their
distributions.

A classifier's log-likelihood on graphs that it was not fitted to bounds the Jensen-Shannon distance of the two
distributions from below; of several descriptions the one is taken that is best in cross-validation. The paper's
classifier is TabPFN, and its descriptions include orbits of five nodes and random graph networks; here it is logistic
regression on the four of ``descriptors``, so that values compare among themselves only.

Source: Krimmel et al., PolyGraph Discrepancy: a classifier-based metric for graph generation, ICLR 2026
(https://arxiv.org/abs/2510.06122).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symdiff_evaluation.core.estimate import Z95, Estimate, nothing
from symdiff_evaluation.graphs.descriptors import NAMES, Descriptors, align
from symdiff_evaluation.graphs.logistic import fit

LEAST = 16  # graphs of each set: half of them in four folds
_FOLDS = 4
_LEAST_LOG = math.log2(1e-10)  # of a probability: one graph must not decide everything


@dataclass(frozen=True)
class Discrepancy:
    """The discrepancy by each description.

    Parameters
    ----------
    bounds : dict of str to Estimate
        For the names in ``NAMES``.
    chosen : str or None
        The description that was best in cross-validation on the other half.
    """

    bounds: dict[str, Estimate]
    chosen: str | None

    @property
    def value(self) -> Estimate:
        """The discrepancy."""
        return self.bounds[NAMES[0] if self.chosen is None else self.chosen]


def discrepancy(samples: Descriptors, reference: Descriptors, undecided: int = 0, seed: int = 0) -> Discrepancy:
    """Estimate the PolyGraph discrepancy, between 0 (the distributions cannot be told apart) and 1.

    Half of each set, by ``seed`` and whatever its order, fits and chooses; the other half gives the values and their
    intervals.

    Parameters
    ----------
    samples, reference : Descriptors
        The two sets; no value below ``LEAST`` graphs of each.
    undecided : int
        Number of records that are left out.
    seed : int
        Of the halves.

    Returns
    -------
    Discrepancy
        The bounds.

    References
    ----------
    Krimmel et al., PolyGraph Discrepancy: a classifier-based metric for graph generation, ICLR 2026.
    """
    if min(len(samples), len(reference)) < LEAST:
        return Discrepancy({name: nothing(undecided + len(samples)) for name in NAMES}, None)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(_sort(part)) for part in (reference, samples)]
    scores, bounds = {}, {}
    for name in NAMES:
        parts = [rows[order] for rows, order in zip(align(reference[name], samples[name]), orders, strict=True)]
        fitted, held = zip(*((rows[: len(rows) // 2], rows[len(rows) // 2 :]) for rows in parts), strict=True)
        scores[name] = _cross_validate(*fitted)
        bounds[name] = bound(*_log_scores(fitted, held), len(samples), undecided)
    return Discrepancy(bounds, max(NAMES, key=lambda name: scores[name]))


def _sort(part: Descriptors) -> np.ndarray:
    """An order of the rows that does not depend on theirs; equal rows are equal in all descriptions."""
    return np.lexsort(np.concatenate([part[name] for name in NAMES], axis=1).T)


def _cross_validate(reference: np.ndarray, samples: np.ndarray) -> float:
    """Mean distance over folds."""
    folds = [np.arange(len(rows)) % _FOLDS for rows in (reference, samples)]
    distances = []
    for k in range(_FOLDS):
        inside = [rows[fold != k] for rows, fold in zip((reference, samples), folds, strict=True)]
        outside = [rows[fold == k] for rows, fold in zip((reference, samples), folds, strict=True)]
        distances.append(_distance(_divergence(*_log_scores(inside, outside))))
    return float(np.mean(distances))


def _log_scores(fitted: Sequence[np.ndarray], held: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Reference first.

    Log2 of the probability that the classifier gives to what is true, for the held reference and the held samples.
    """
    distribution = fit(*fitted)
    logs = [
        -np.logaddexp(0, -sign * distribution.log_odds(rows)) / math.log(2)
        for sign, rows in zip((1, -1), held, strict=True)
    ]
    return logs[0].clip(_LEAST_LOG), logs[1].clip(_LEAST_LOG)


def _divergence(reference: np.ndarray, samples: np.ndarray) -> float:
    return 1 + (float(reference.mean()) + float(samples.mean())) / 2


def _distance(divergence: float) -> float:
    """The Jensen-Shannon distance, to base 2."""
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def bound(reference: np.ndarray, samples: np.ndarray, count: int, undecided: int) -> Estimate:
    """Bound the Jensen-Shannon distance from log-scores.

    Parameters
    ----------
    reference, samples : numpy.ndarray
        log2 of the probability that the classifier gives to the right set, for graphs that it was not fitted to.
    count : int
        Number of samples, for the estimate.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        With the normal interval of the means, for this classifier.
    """
    middle = _divergence(reference, samples)
    half = Z95 / 2 * math.sqrt(reference.var(ddof=1) / len(reference) + samples.var(ddof=1) / len(samples))
    return Estimate(_distance(middle), _distance(middle - half), _distance(middle + half), count, undecided)
