"""Is a distribution invariant? In many samples every image of an orbit must be equally frequent.

For any kind of structure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from symdiff_evaluation.core.estimate import Estimate, nothing


@dataclass(frozen=True)
class Balance:
    """A test that a distribution is invariant.

    Parameters
    ----------
    statistic : float
        Pearson's statistic, over all orbits.
    mean, variance : float
        Its mean and variance under an invariant distribution.
    count : int
        Number of samples that bear on it: those of orbits with several images that occur at least twice.
    undecided : int
        Number of the other samples.
    """

    statistic: float
    mean: float
    variance: float
    count: int
    undecided: int = 0

    @property
    def p_value(self) -> float | None:
        """Probability of at least this imbalance under an invariant distribution; None where no sample bears on it."""
        if self.variance <= 0:
            return None
        # the gamma distribution with this mean and variance: chi-square where an orbit has many samples
        return float(gammaincc(self.mean**2 / self.variance, self.statistic * self.mean / self.variance))

    def estimate(self) -> Estimate:
        """Give the p-value as a number of the evaluation; it has no interval."""
        value = self.p_value
        return (
            nothing(self.undecided + self.count)
            if value is None
            else Estimate(value, None, None, self.count, self.undecided)
        )


def orbit_balance(
    orbits: Sequence[int] | np.ndarray,
    images: Sequence[int] | np.ndarray,
    sizes: Sequence[int] | np.ndarray,
    inflation: float = 1.0,
) -> Balance:
    """Test that within each orbit all images are equally likely.

    For n samples in an orbit of k images, Pearson's statistic has mean k - 1 and variance 2 (k - 1)(1 - 1/n) exactly,
    however few they are; both add up over orbits.

    Parameters
    ----------
    orbits : sequence of int, (count,)
        Number of the orbit of each sample.
    images : sequence of int, (count,)
        A number that tells the images of one orbit apart.
    sizes : sequence of int, (count,)
        How many images the orbit has: order of the group over order of the stabilizer.
    inflation : float
        Twice the integrated autocorrelation time of samples from a Markov chain; 1 for independent samples.

    Returns
    -------
    Balance
        The test; samples of orbits that occur once, or have one image, are undecided.
    """
    orbits, images, sizes = np.asarray(orbits), np.asarray(images), np.asarray(sizes)
    if not len(orbits):
        return Balance(0.0, 0.0, 0.0, 0)
    names, first, which, drawn = np.unique(orbits, return_index=True, return_inverse=True, return_counts=True)
    ways = sizes[first]
    cells = np.unique(np.stack([which, images]), axis=1, return_counts=True)
    squares = np.zeros(len(names))
    np.add.at(squares, cells[0][0], cells[1].astype(np.float64) ** 2)
    tells = (drawn > 1) & (ways > 1)
    n, k = drawn[tells].astype(np.float64), ways[tells].astype(np.float64)
    statistic = (k / n * squares[tells] - n) / inflation
    return Balance(
        float(statistic.sum()),
        float((k - 1).sum()),
        float((2 * (k - 1) * (1 - 1 / n)).sum()),
        int(n.sum()),
        len(orbits) - int(n.sum()),
    )


def repeated_orbit_balance(orbits: Sequence[Hashable], images: Sequence[Hashable], sizes: Sequence[int]) -> Balance:
    """Test the orbits that occur often enough: where an invariant distribution repeats an image once, on average, or
    more.

    Others bear nothing on it. The rule looks at numbers of samples and of images alone, which no group element changes,
    so it favors no distribution.

    Parameters
    ----------
    orbits : sequence of hashable, (count,)
        The orbit of each sample.
    images : sequence of hashable, (count,)
        What tells the images of one orbit apart.
    sizes : sequence of int, (count,)
        How many images the orbit has.

    Returns
    -------
    Balance
        ``orbit_balance`` over those orbits; all other samples are undecided.
    """
    seen = Counter(orbits)
    tells = [k for k, orbit in enumerate(orbits) if seen[orbit] * (seen[orbit] - 1) // 2 >= sizes[k]]
    names: dict[Hashable, int] = {}
    which: dict[Hashable, int] = {}
    test = orbit_balance(
        [names.setdefault(orbits[k], len(names)) for k in tells],
        [which.setdefault(images[k], len(which)) for k in tells],
        np.array([sizes[k] for k in tells], np.int64),
    )
    return Balance(test.statistic, test.mean, test.variance, test.count, len(orbits) - test.count)


def frequency_balance(counts: Sequence[int] | np.ndarray, inflation: float = 1.0) -> Balance:
    """Test that outcomes are equally likely: the case of one orbit.

    Parameters
    ----------
    counts : sequence of int, (k,)
        How often each outcome occurs.
    inflation : float
        As in ``orbit_balance``.

    Returns
    -------
    Balance
        The test.
    """
    counts = np.asarray(counts)
    images = np.repeat(np.arange(len(counts)), counts)
    return orbit_balance(np.zeros(len(images), int), images, np.full(len(images), len(counts)), inflation)


def combine(parts: Sequence[Balance]) -> Balance:
    """Combine independent tests into one.

    Parameters
    ----------
    parts : sequence of Balance
        The tests.

    Returns
    -------
    Balance
        With sums of their statistics, means, variances and counts.
    """
    return Balance(
        sum(p.statistic for p in parts),
        sum(p.mean for p in parts),
        sum(p.variance for p in parts),
        sum(p.count for p in parts),
        sum(p.undecided for p in parts),
    )


def position_balance(rows: Sequence[np.ndarray]) -> Balance:
    """Test that the numbers in each row stand at every position of it equally often, for each length of rows.

    z_g is a row, shifted and scaled to mean 0 and variance 1. Under a uniformly random order (n - 1)/(n G) |sum z_g|²
    over G rows of n numbers has mean n - 1 and, the scalar products of two shuffled rows having variance n²/(n - 1),
    variance 2 (n - 1)(1 - 1/G): that of chi-square for many rows. Constant rows are undecided.

    Parameters
    ----------
    rows : sequence of numpy.ndarray, each (n,)
        One row a sample, such as the degrees of a graph's nodes in the order of the file.

    Returns
    -------
    Balance
        The test.
    """
    groups: dict[int, list[np.ndarray]] = {}
    for row in rows:
        spread = row - row.mean()
        size = math.sqrt(float(spread @ spread) / len(row))
        if size > 0:
            groups.setdefault(len(row), []).append(spread / size)
    tests = []
    for length, vectors in sorted(groups.items()):
        count = len(vectors)
        if count > 1:
            total = np.sum(vectors, axis=0)
            statistic = (length - 1) / (length * count) * float(total @ total)
            tests.append(Balance(statistic, length - 1.0, 2 * (length - 1.0) * (1 - 1 / count), count))
    test = combine(tests)
    return Balance(test.statistic, test.mean, test.variance, test.count, len(rows) - test.count)


def direction_balance(vectors: np.ndarray) -> Balance:
    """Test that vectors of a real irreducible representation point in all directions equally often.

    Under an invariant distribution unit vectors u have mean 0 and covariance 1/k (Schur's lemma), so that k/G |sum
    u_g|² over G of them has mean k and variance 2 k (1 - 1/G).

    Parameters
    ----------
    vectors : numpy.ndarray, (count, k)
        One vector a sample; those of length 0 are undecided.

    Returns
    -------
    Balance
        The test.
    """
    sizes = np.linalg.norm(vectors, axis=1)
    units = vectors[sizes > 0] / sizes[sizes > 0, None]
    count, width = units.shape
    if count < 2:
        return Balance(0.0, 0.0, 0.0, 0, len(vectors))
    total = units.sum(0)
    return Balance(
        width / count * float(total @ total), float(width), 2.0 * width * (1 - 1 / count), count, len(vectors) - count
    )
