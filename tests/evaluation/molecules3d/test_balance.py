"""Orientations and numberings of geometries: uniform p-values for invariant laws, zero for aligned and sorted ones."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from symdiff_evaluation.core.balance import direction_balance, position_balance
from symdiff_evaluation.molecules3d.orientation import moments, orientation_balance
from symdiff_evaluation.molecules3d.samples import PlacedAtoms

NUMBERS = np.array([6, 8, 1, 1, 7], np.uint8)
FIGURE = np.array([[0, 0, 0], [1.2, 0.1, 0], [-0.6, 0.9, 0.2], [-0.5, -0.9, 0.1], [0.1, 0.2, 1.4]])


def turned(rng, count, numbers=NUMBERS, figure=FIGURE):
    return [PlacedAtoms(numbers, figure @ one.T) for one in Rotation.random(count, random_state=rng).as_matrix()]


def test_moments_move_with_the_geometry():
    """The five numbers are an orthogonal representation: their length stays, and two turns follow each other."""
    one, two = Rotation.random(2, random_state=0).as_matrix()
    first, five = moments(NUMBERS, FIGURE)
    for turn in (one, two @ one):
        again = moments(NUMBERS, FIGURE @ turn.T + 3.0)
        assert again[0] == pytest.approx(first @ turn.T) and np.linalg.norm(again[1]) == pytest.approx(
            np.linalg.norm(five)
        )
    inertia = np.cov(FIGURE.T, bias=True) / (np.trace(np.cov(FIGURE.T, bias=True)))
    assert np.linalg.norm(five) == pytest.approx(np.linalg.norm(inertia - np.eye(3) / 3))


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 40])
def test_the_mean_and_variance_are_exact(count):
    rng = np.random.RandomState(count)
    told = [orientation_balance(turned(rng, count)) for _ in range(1500)]
    found = np.array([one.statistic for one in told])
    assert told[0].mean == 8 and told[0].variance == pytest.approx(16 * (1 - 1 / count))
    assert found.mean() == pytest.approx(8, abs=5 * found.std() / 1500**0.5)
    assert found.var() == pytest.approx(told[0].variance, rel=0.25)


@pytest.mark.slow
def test_p_values_of_an_invariant_law_are_uniform():
    rng = np.random.RandomState(1)
    found = [orientation_balance(turned(rng, 60)).p_value for _ in range(400)]
    assert kstest(found, "uniform").pvalue > 1e-4


def test_laws_that_prefer_a_direction_are_seen():
    rng = np.random.RandomState(2)
    aligned = [PlacedAtoms(NUMBERS, FIGURE + 0.05 * rng.normal(size=FIGURE.shape)) for _ in range(40)]
    assert orientation_balance(aligned).p_value < 1e-12
    flips = np.array(
        [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    )  # half turns: the first moment alone sees nothing
    half = [PlacedAtoms(NUMBERS, FIGURE * flips[k]) for k in rng.randint(4, size=200)]
    assert orientation_balance(half).p_value < 1e-12


def test_figures_that_point_nowhere_say_nothing():
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    told = orientation_balance(turned(np.random.RandomState(3), 5, np.full(6, 9, np.uint8), octahedron))
    assert told.p_value is None and (told.count, told.undecided) == (0, 5)
    assert orientation_balance([]).p_value is None and direction_balance(np.zeros((4, 3))).p_value is None


def test_sorted_atoms_are_seen():
    rng = np.random.default_rng(4)
    rows = [np.array([6.0, 6, 8, 1, 1, 1]) for _ in range(50)]
    assert position_balance(rows).p_value < 1e-12
    assert (
        kstest([position_balance([rng.permutation(row) for row in rows]).p_value for _ in range(300)], "uniform").pvalue
        > 1e-4
    )
