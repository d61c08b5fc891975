"""Intervals: against scipy where scipy has them, against simulations where it has not."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, wasserstein_distance

from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate, distinct, fraction, mean, nothing


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (1, 1), (0, 50), (50, 50), (3, 10), (9987, 10000), (500, 1000)])
def test_wilson_is_scipys(hits, count):
    want = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    got = fraction(hits, count)
    assert got.value == hits / count and got.count == count
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=1e-12)


def test_nothing_to_count_is_no_number():
    assert fraction(0, 0, 3) == nothing(3) == Estimate(None, None, None, 0, 3)
    assert distinct([], 0) == nothing()
    assert mean(0.0, 0.0, 0) == nothing()


def test_distinct_without_repeats_is_wilson():
    assert distinct(range(40), 40) == fraction(40, 40)
    assert distinct(range(30), 40) == fraction(30, 40)


def test_distinct_of_one_kind():
    got = distinct(["C"] * 1000, 1000)
    assert got.value == 0.001 and 0 < got.low < 0.001 < got.high < 0.01


@pytest.mark.parametrize("kinds", [1000, 2000, 100_000])
def test_interval_of_a_number_of_kinds_covers(kinds):
    """About 95 % of the intervals hold the expected share of different kinds among 1,000 uniform draws."""
    rng, count, rounds = np.random.default_rng(kinds), 1000, 500
    truth = kinds * (1 - (1 - 1 / kinds) ** count) / count
    found = [distinct(rng.integers(kinds, size=count).tolist(), count) for _ in range(rounds)]
    share = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.92 < share < 0.985


def test_interval_of_a_share_covers():
    rng, count = np.random.default_rng(0), 400
    hits = [fraction(int(rng.binomial(count, 0.93)), count) for _ in range(500)]
    assert 0.92 < np.mean([one.low <= 0.93 <= one.high for one in hits]) < 0.985


def test_total_variation_by_hand():
    rows = [{"C": 2, "O": 1}, {"C": 1}]
    got = total_variation(rows, {"C": 1, "N": 1})
    assert got.value == pytest.approx((0.25 + 0.25 + 0.5) / 2) and got.count == 2
    assert total_variation(rows, {"C": 3, "O": 1}).value == 0
    assert total_variation([], {"C": 1}) == nothing()


def test_wasserstein_is_scipys():
    rng = np.random.default_rng(1)
    one, two, mass = rng.normal(size=300), rng.normal(0.5, 2, size=77), rng.random(77)
    assert wasserstein(one, two).value == pytest.approx(wasserstein_distance(one, two), abs=1e-12)
    assert wasserstein(one, two, mass).value == pytest.approx(wasserstein_distance(one, two, None, mass), abs=1e-12)
    ties = np.array([0.0, 0.0, 1.0])
    assert wasserstein(ties, np.array([1.0, 0.0])).value == pytest.approx(1 / 6)
    assert wasserstein(ties, np.array([1.0, 0.0])).count == 3


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_intervals_of_distances_cover(kind):
    """Away from zero, the intervals hold the true distance as often as they say."""
    rng, count, hit = np.random.default_rng(2), 400, []
    for _ in range(500):
        if kind == "labels":
            draws = rng.choice(3, size=count, p=[0.5, 0.3, 0.2])
            got = total_variation([{str(draw): 1} for draw in draws], {"0": 2, "1": 2, "2": 6})
            truth = 0.4
        else:
            got, truth = wasserstein(rng.normal(3, 1, size=count), np.zeros(1)), 3 + 2 * _tail(3)
        hit.append(got.low <= truth <= got.high)
    assert 0.92 < np.mean(hit) < 0.985


def _tail(a: float) -> float:
    """E max(-x, 0) of x ~ N(a, 1)."""
    return math.exp(-a * a / 2) / math.sqrt(2 * math.pi) - a * math.erfc(a / math.sqrt(2)) / 2
