"""Intervals of internal diversity: of the number that sets of one size have on average, however diverse the law."""

import numpy as np
import pytest

from symdiff_evaluation.molecules.similarity import internal_diversity


def law(number, even):
    rng = np.random.default_rng(number)
    return np.packbits(rng.random((number, 64)) < 0.3, axis=1), rng.dirichlet(np.full(number, even))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "even", "count"), [(12, 2.0, 200), (100, 1.0, 300), (1000, 1e6, 100)])
def test_intervals_cover_the_average(number, even, count):
    kinds, share = law(number, even)
    rng = np.random.default_rng(0)
    found = [internal_diversity(kinds[rng.choice(number, count, p=share)]) for _ in range(300)]
    for which, p in ((0, 1), (0, 2), (1, 2)):
        some = [one[which][p] for one in found]
        values = np.array([one.value for one in some])
        held = np.mean([one.low <= values.mean() <= one.high for one in some])
        assert 0.9 <= held <= 0.99, (which, p)
        width = np.mean([(one.high - one.low) / 2 / 1.96 for one in some])
        assert 0.85 < width / values.std() < 1.2, (which, p)


def test_the_same_in_any_order():
    kinds, share = law(30, 1.0)
    drawn = kinds[np.random.default_rng(1).choice(30, 150, p=share)]
    assert internal_diversity(drawn) == internal_diversity(drawn[::-1])


def test_one_molecule_again_and_again():
    paper, program = internal_diversity(np.repeat(law(1, 1.0)[0], 80, axis=0))
    for one in (*paper.values(), *program.values()):
        assert (one.value, one.low, one.high) == pytest.approx((0, 0, 0), abs=1e-7)
    assert internal_diversity(law(3, 1.0)[0])[0][1].low is None
