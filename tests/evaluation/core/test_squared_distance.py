"""The law of the error of a squared distance, against those that are known, and its intervals."""

import numpy as np
import pytest
from scipy.stats import chi2, ncx2, norm

from symdiff_evaluation.core.estimate import Z95
from symdiff_evaluation.core.squared_distance import ErrorDistribution, find_interval, fit_error, match_gamma

ENDS = (0.025, 0.975)


def law(weights, slope=0.0):
    return ErrorDistribution(np.array(weights, float), np.ones(len(weights)), slope)


@pytest.mark.parametrize("size", [1, 2, 5, 400])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 30.0])
def test_equal_weights_are_a_chi_square(size, scale):
    for p in ENDS:
        want = scale * (chi2.ppf(p, size) - size)
        assert law([scale] * size).quantile(p, 0.0) == pytest.approx(want, rel=0.01)
        assert ErrorDistribution(np.array([scale]), np.array([float(size)]), 0.0).quantile(p, 0.0) == pytest.approx(
            want, rel=0.01
        )
        assert law([-scale] * size).quantile(1 - p, 0.0) == pytest.approx(-want, rel=0.01)


def test_away_from_zero_they_are_that_chi_square_off_its_center():
    for t in (0.5, 5.0, 300.0):
        for p in ENDS:
            assert law([1.0] * 3, 4.0).quantile(p, t) == pytest.approx(ncx2.ppf(p, 3, t) - 3 - t, rel=0.01)


def test_unequal_weights_against_simulation():
    rng = np.random.default_rng(0)
    weights = np.concatenate([[1, 0.6, 0.4, -0.1], 0.02 * rng.normal(size=40)])
    drawn = (rng.normal(size=(100_000, len(weights))) ** 2 - 1) @ weights
    for p in ENDS:
        assert np.mean(drawn < law(weights).quantile(p, 0.0)) == pytest.approx(p, abs=0.003)


def test_without_products_of_errors_they_are_normal():
    for p in ENDS:
        assert law([], 1e-6).quantile(p, 5.0) == pytest.approx(norm.ppf(p) * np.sqrt(5e-6), rel=0.01)
    low, high = find_interval(1.0, fit_error(1.0, 0.01, 1e6, np.zeros(0)))
    assert [(1 - end) ** 2 for end in (low, high)] == pytest.approx(
        [Z95**2 * 0.01 * end for end in (low, high)], rel=0.1
    )
    assert find_interval(0.3, fit_error(0.3, 0.0, 10.0, np.zeros(4))) == (0.3, 0.3)


def test_gamma_has_the_moments():
    weight, times = match_gamma(2.0, 3.0)
    assert 2 * times @ weight**2 == pytest.approx(2.0) and 8 * times @ weight**3 == pytest.approx(3.0)
    assert [part.size for part in match_gamma(0.0, 1.0)] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("far", [0.0, 1.0, 4.0, 40.0])
def test_intervals_hold_the_distance(far):
    """|z|^2 - 1 of z ~ N(d, 1/4) in four dimensions, its linear variance known: 95 % hold |d|^2."""
    rng, hits = np.random.default_rng(1), 0
    for _ in range(250):
        found = float(((rng.normal(size=4) / 2 + [np.sqrt(far), 0, 0, 0]) ** 2).sum()) - 1
        low, high = find_interval(found, ErrorDistribution(np.full(4, 0.25), np.ones(4), 1.0))
        assert low <= found <= high
        hits += low <= far <= high
    assert 0.92 <= hits / 250 <= 0.985
