"""Hands: a sign that only the mirror turns over, and tests that both are equally frequent."""

import numpy as np
import pytest

from symdiff_evaluation.molecules3d.mirror import binomial_balance, enantiomer_balance, find_hand, pseudoscalars
from symdiff_evaluation.molecules3d.perception import PerceivedMolecule
from symdiff_evaluation.molecules3d.samples import PlacedAtoms

RNG = np.random.default_rng(0)


def some(count=9):
    return PlacedAtoms(RNG.choice([1, 6, 8], count), RNG.normal(size=(count, 3)))


def moved(geometry, mirrored):
    q, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q)) * (-1 if mirrored else 1)
    order = RNG.permutation(len(geometry.numbers))
    return PlacedAtoms(geometry.numbers[order], geometry.positions[order] @ q.T + RNG.normal(size=3))


def test_only_the_mirror_turns_the_sign_over():
    for _ in range(20):
        one = some()
        assert find_hand(one) in (1, -1) and find_hand(moved(one, False)) == find_hand(one) == -find_hand(
            moved(one, True)
        )
        assert pseudoscalars(*moved(one, True)[:2]) == pytest.approx(
            [-value for value in pseudoscalars(*one[:2])], abs=1e-9
        )
        assert np.abs(pseudoscalars(*one[:2])).max() <= 1


def test_a_twofold_axis_leaves_a_sign_and_a_mirror_does_not():
    peroxide = PlacedAtoms(
        np.array([8, 8, 1, 1]), np.array([[0.73, 0, 0], [-0.73, 0, 0], [0.89, 0.5, 0.8], [-0.89, -0.5, 0.8]])
    )
    assert find_hand(peroxide) == -find_hand(moved(peroxide, True)) != 0
    flat = PlacedAtoms(np.array([6, 8, 1, 9]), RNG.normal(size=(4, 3)) * [1, 1, 0])
    assert find_hand(flat) == find_hand(moved(flat, False)) == 0
    assert find_hand(PlacedAtoms(np.array([1]), np.zeros((1, 3)))) == 0
    assert find_hand(PlacedAtoms(np.array([1, 1]), np.array([[0, 0, 0], [0, 0, 0.7]]))) == 0


def test_signs_of_a_law_without_hands_are_even():
    signs = [find_hand(some(6)) for _ in range(400)]
    assert abs(sum(signs)) < 6 * 20
    assert binomial_balance(signs.count(1), signs.count(-1)).value > 1e-6
    assert (
        binomial_balance(5, 0).value == pytest.approx(2 / 32)
        and binomial_balance(0, 0, 7).value is None
        and binomial_balance(0, 0, 7).undecided == 7
    )


def test_enantiomers_are_counted_molecule_by_molecule():
    def seen(stereo, mirrored):
        return PerceivedMolecule("x", "", stereo, mirrored)

    right, left, other, flat = seen("a@", "a@@"), seen("a@@", "a@"), seen("b@@", "b@"), seen("c", "c")
    assert enantiomer_balance([right, left] * 20 + [flat] * 5).p_value == pytest.approx(1)
    assert enantiomer_balance([right] * 20).p_value < 1e-4
    # right of one and left of the other are no balance
    assert enantiomer_balance([right] * 20 + [other] * 20).p_value < 1e-8
    assert enantiomer_balance([flat, PerceivedMolecule(None, "valence"), right]).p_value is None
