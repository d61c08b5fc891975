"""The jackknife over groups: variances that are known, and intervals of the Fréchet distance."""

import numpy as np
import pytest

from symdiff_evaluation.core.jackknife import variances
from symdiff_evaluation.molecules.chemnet import fit_gaussian, frechet
from symdiff_evaluation.molecules.metrics.fcd import GROUPS, Parts, distance


def left_out(groups, number):
    """``number`` of the means of all groups but each, and but each two."""
    total, size = groups.sum(0), len(groups)
    one = np.array([number((total - g) / (size - 1)) for g in groups])
    two = np.array([[number((total - g - h) / (size - 2)) for h in groups] for g in groups])
    return one, two


def test_a_mean_has_a_linear_part_only():
    x = np.random.default_rng(0).normal(size=(12, 1))
    linear, quadratic = variances(*left_out(x, lambda m: m[0]))
    assert linear == pytest.approx(x.var(ddof=1) / 12) and quadratic == pytest.approx(0, abs=1e-25)


@pytest.mark.slow
@pytest.mark.parametrize("center", [0.0, 2.0])
def test_the_variances_of_a_square(center):
    """|m|^2 of a mean m ~ N(c, 1/G) in three dimensions.

    The linear part has 4 c^2 / G, the quadratic one 6 / G^2 less what one group does alone.
    """
    rng, size = np.random.default_rng(1), 10
    found = np.array(
        [variances(*left_out(center / np.sqrt(3) + rng.normal(size=(size, 3)), lambda m: m @ m)) for _ in range(1500)]
    )
    # the squares of single groups, 6 / G^3, count with the linear part; they were not told from it
    quadratic = 6 / size**2 * (size - 1) / size
    assert found[:, 1].mean() == pytest.approx(quadratic, rel=0.05)
    want = 4 * center**2 / size
    assert found[:, 0].mean() == pytest.approx(want, rel=0.1) if center else found[:, 0].mean() < quadratic


def test_parts_are_those_of_the_vectors():
    rng = np.random.default_rng(2)
    x, group = 5 + rng.normal(size=(103, 4)), rng.permutation(103) % GROUPS
    parts = Parts.of(x, group)
    for left in ((), (3,), (0, 7)):
        want, got = fit_gaussian(x[~np.isin(group, left)]), parts.without(*left)
        assert got.mean == pytest.approx(want.mean) and got.covariance == pytest.approx(want.covariance)
    law = fit_gaussian(rng.normal(size=(50, 4)))
    assert (
        distance(parts, law).value == pytest.approx(frechet(fit_gaussian(x), law)) and distance(parts, law).count == 103
    )


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_intervals_of_the_distance_cover(shift):
    rng = np.random.default_rng(3)
    law = fit_gaussian(rng.normal(size=(4000, 3)))
    found = [
        distance(Parts.of(shift + rng.normal(size=(200, 3)), rng.permutation(200) % GROUPS), law) for _ in range(150)
    ]
    truth = np.mean([one.value for one in found])
    assert 0.88 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99
    assert all(one.low <= one.value <= one.high for one in found)
