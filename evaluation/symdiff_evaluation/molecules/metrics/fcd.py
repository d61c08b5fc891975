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
    """The Fréchet ChemNet Distance of the strictly valid samples, repeats counted; needs the package ``fcd``.

    The interval is that of the jackknife over ten groups. It tells the variation over sets of this size, not the bias,
    which falls with the number of samples: compare values of equally many samples only.

    References
    ----------
    Preuer et al., Fréchet ChemNet Distance: a metric for generative models for molecules in drug discovery, J. Chem.
    Inf. Model. 58 (2018).
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
        distributions = {name: reference.gaussians.get(name.removeprefix("fcd.")) for name in self.about}
        if len(texts) < 2 * GROUPS or not any(distributions.values()):
            return {name: nothing(len(samples.valid)) for name in distributions}
        features = compute_activations(kinds.tolist())[which].astype(np.float64)
        parts = Parts.of(features, _groups(texts))
        return {
            name: distance(parts, distribution, undecided) if distribution else nothing(len(texts))
            for name, distribution in distributions.items()
        }


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
    """Sums over groups of vectors, around the mean of all.

    Parameters
    ----------
    counts : numpy.ndarray, (G,)
        Number of vectors in each group.
    sums : numpy.ndarray, (G, d)
        Sum of each group.
    squares : numpy.ndarray, (G, d, d)
        Sum of outer products of each group.
    center : numpy.ndarray, (d,)
        The mean of all.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    center: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, group: np.ndarray) -> Parts:
        """Sum vectors by group.

        Parameters
        ----------
        features : numpy.ndarray, (n, d)
            The vectors.
        group : numpy.ndarray, (n,)
            The group of each, from 0.

        Returns
        -------
        Parts
            The sums.
        """
        center = features.mean(0)
        parts = [features[group == number] - center for number in range(GROUPS)]
        return cls(
            np.array([len(x) for x in parts]),
            np.array([x.sum(0) for x in parts]),
            np.array([x.T @ x for x in parts]),
            center,
        )

    def without(self, *left: int) -> FeatureGaussian:
        """Fit a Gaussian to all groups but some.

        Parameters
        ----------
        left : int
            The groups that are left out, any number of them.

        Returns
        -------
        FeatureGaussian
            Mean and covariance of the others.
        """
        kept = [number for number in range(GROUPS) if number not in left]
        count, mean = self.counts[kept].sum(), self.sums[kept].sum(0) / self.counts[kept].sum()
        covariance = (self.squares[kept].sum(0) - count * np.outer(mean, mean)) / (count - 1)
        return FeatureGaussian(self.center + mean, covariance)


def distance(parts: Parts, distribution: FeatureGaussian, undecided: int = 0) -> Estimate:
    """Estimate the Fréchet distance of vectors to a Gaussian.

    Leaving out groups tells its bias T and the variances of its linear and its quadratic part. The latter, a weighted
    sum of chi-squares, is taken to have the skewness of the gamma distribution with mean T and that variance.

    Parameters
    ----------
    parts : Parts
        The vectors by group.
    distribution : FeatureGaussian
        The Gaussian.
    undecided : int
        Number of samples that are left out.

    Returns
    -------
    Estimate
        The distance with the interval of what as many other vectors would give.
    """
    to = frechet_to(distribution)
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
