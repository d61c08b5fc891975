"""The Fréchet ChemNet Distance to the reference's splits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.special import stdtrit

from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.core.estimate import Z95, Estimate, nothing
from symdiff_evaluation.core.jackknife import variances
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.squared_distance import find_interval, fit_error, match_gamma
from symdiff_evaluation.molecules.chemnet import LONGEST, FeatureGaussian, compute_activations, frechet_to
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples

GROUPS = 10


class FCD(Metric):
    """Of the strictly valid samples, repeats counted; needs the ``fcd`` package.

    The interval is that of the jackknife over ten groups. It tells the spread over sets of this size, not
    the bias, which falls with the number of samples: compare values of equally many samples only.
    """

    title = "Fréchet ChemNet Distance"
    about = {
        "fcd.train": "to the reference's training split",
        "fcd.test": "to the reference's test split",
    }
    compares = frozenset(about)

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        texts = sorted(text for text in samples.valid if len(text) <= LONGEST)
        undecided = len(samples.valid) - len(texts)
        kinds, which = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
        laws = {name: reference.gaussians.get(name.removeprefix("fcd.")) for name in self.about}
        if len(texts) < 2 * GROUPS or not any(laws.values()):
            return {name: nothing(len(samples.valid)) for name in laws}
        features = compute_activations(kinds.tolist())[which].astype(np.float64)
        parts = Parts.of(features, _groups(texts))
        return {name: distance(parts, law, undecided) if law else nothing(len(texts)) for name, law in laws.items()}


def _groups(texts: list[str]) -> np.ndarray:
    """Ten groups by content: as good as at random, and the same in whatever order the samples came."""
    again: dict[str, int] = {}
    keys = []
    for text in texts:
        again[text] = again.get(text, 0) + 1
        keys.append(digest(f"{text} {again[text]}"))
    return np.argsort(np.argsort(keys)) % GROUPS


@dataclass(frozen=True)
class Parts:
    """Of each group of vectors their number (G,), sum (G, d) and sum of squares (G, d, d), around the ``center``
    (d,) of all."""

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    center: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, group: np.ndarray) -> Parts:
        """Of vectors (n, d) in groups numbered from 0 (n,)."""
        center = features.mean(0)
        parts = [features[group == number] - center for number in range(GROUPS)]
        return cls(
            np.array([len(x) for x in parts]),
            np.array([x.sum(0) for x in parts]),
            np.array([x.T @ x for x in parts]),
            center,
        )

    def without(self, *left: int) -> FeatureGaussian:
        """Mean and covariance of all groups but these."""
        kept = [number for number in range(GROUPS) if number not in left]
        count, mean = self.counts[kept].sum(), self.sums[kept].sum(0) / self.counts[kept].sum()
        covariance = (self.squares[kept].sum(0) - count * np.outer(mean, mean)) / (count - 1)
        return FeatureGaussian(self.center + mean, covariance)


def distance(parts: Parts, law: FeatureGaussian, undecided: int = 0) -> Estimate:
    """The Fréchet distance of all vectors to ``law``, with the interval of what as many other vectors would give.

    Leaving out groups tells its bias T and the variances of its linear and its quadratic part. The latter, a weighted
    sum of chi-squares, is taken to have the skewness of the gamma law with mean T and that variance.
    """
    to = frechet_to(law)
    value, one = to(parts.without()), np.array([to(parts.without(g)) for g in range(GROUPS)])
    two = np.zeros((GROUPS, GROUPS))
    for g, h in combinations(range(GROUPS), 2):
        two[g, h] = two[h, g] = to(parts.without(g, h))
    bias = (GROUPS - 1) * (float(one.mean()) - value)
    linear, second = variances(one, two)
    third = 2 * second**2 / bias if bias > 0 else 0.0
    without = value - bias
    error = fit_error(without, linear, GROUPS - 1, *match_gamma(second, third))
    # the same few groups tell the variances of both parts
    low, high = find_interval(without, replace(error, stretch=float(stdtrit(GROUPS - 1, 0.975)) / Z95))
    return Estimate(
        value, max(value + (low - without), 0.0), value + (high - without), int(parts.counts.sum()), undecided
    )
