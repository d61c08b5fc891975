"""Stabilizers, orbits and balance of configurations against trying all elements."""

import itertools
import math

import numpy as np
import pytest

from symdiff_evaluation.core.balance import frequency_balance, orbit_balance
from symdiff_evaluation.core.breaking import breaking_gap, broken_share
from symdiff_evaluation.core.estimate import nothing
from symdiff_evaluation.spins.balance import image_balance, place_balance, variant_balance
from symdiff_evaluation.spins.observables import orders, pattern, waves
from symdiff_evaluation.spins.symmetry import (
    images,
    phases,
    space_group,
    stabilizer_orders,
    state_name,
    symmetries,
    variants,
)
from tests.oracles.offset_hamiltonian import OffsetHamiltonian, j1j2, moved, nearest


def elements(group):
    """Every element as a function on one configuration."""
    for number in range(len(group.allowed)):
        for t in np.ndindex(group.shape):
            for sign, allowed in ((1, group.allowed), (-1, group.flipped)):
                if allowed[(number, *t)]:
                    yield lambda s, p=number, t=t, sign=sign: sign * np.roll(group.move(s, p), t, range(s.ndim))


def grid(*shape):
    return np.indices(shape)


UP = np.ones((4, 4), np.int8)
CHECKERS, STRIPES = 1 - 2 * (grid(4, 4).sum(0) % 2), 1 - 2 * (grid(4, 4)[0] % 2)
LAYERS = 1 - 2 * (grid(4, 4)[0] // 2)


@pytest.mark.parametrize(
    ("shape", "order"), [((4, 4), 256), ((4, 6), 192), ((8,), 32), ((4, 4, 4), 48 * 64 * 2), ((3, 5), 120)]
)
def test_order_of_the_space_group(shape, order):
    assert space_group(shape).order == order and space_group(shape, flip=False).order == order // 2


@pytest.mark.parametrize(("spins", "order"), [(UP, 128), (CHECKERS, 128), (STRIPES, 64), (LAYERS, 32)])
def test_stabilizers_by_hand(spins, order):
    assert stabilizer_orders(spins[None], space_group((4, 4))).tolist() == [order]


@pytest.mark.parametrize("shape", [(4, 4), (3, 4), (6,), (2, 3, 4)])
def test_stabilizers_and_orbits_are_enumeration(shape):
    rng, group = np.random.default_rng(sum(shape)), space_group(shape)
    spins = rng.choice([-1, 1], (6, *shape), p=[0.2, 0.8])
    moves = list(elements(group))
    assert len(moves) == group.order
    want = [sum(np.array_equal(move(s), s) for move in moves) for s in spins]
    assert stabilizer_orders(spins, group).tolist() == want
    everything = np.concatenate([[move(s) for move in moves] for s in spins])
    orbits, which = images(everything, group)
    for k, s in enumerate(spins):
        rows = slice(k * len(moves), (k + 1) * len(moves))
        assert len(set(orbits[rows])) == 1 and len(set(which[rows])) == group.order // want[k]
        assert np.array_equal(np.unique(orbits[[k * len(moves)]]), np.unique(images(everything, group)[0][rows])), s


@pytest.mark.parametrize(
    ("hamiltonian", "shape", "order"),
    [
        (nearest(2), (4, 4), 256),
        (nearest(2, 1.0, field=0.3), (4, 4), 128),
        (nearest(2, (1.0, 0.5)), (4, 4), 128),
        (j1j2(1.0, 0.4), (6, 6), 576),
        (OffsetHamiltonian({(1, 0): 1.0, (0, 1): 1.0, (1, 1): 0.5}), (6, 6), 4 * 36 * 2),
        (nearest(3), (3, 3, 3), 48 * 27 * 2),
    ],
)
def test_symmetries_of_hamiltonians_by_hand(hamiltonian, shape, order):
    assert symmetries(hamiltonian.on(*shape)).order == order


def test_the_triangular_lattice():
    bonds = OffsetHamiltonian({(1, 0): -1.0, (0, 1): -1.0, (1, -1): -1.0})
    group = symmetries(bonds.on(6, 6, kind="triangular"))
    assert group.order == 12 * 36 * 2 and symmetries(bonds.on(6, 6)).order == 4 * 36 * 2
    assert [len(orbit) for orbit in variants((6, 6), group)] == [2, 6]  # uniform; stripes in three directions


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("chain", (5,)), ("square", (4, 4)), ("square", (3, 4)), ("triangular", (4, 4)), ("cubic", (2, 2, 3))],
)
def test_operations_move_arrays_and_waves(kind, shape):
    group, array = space_group(shape, kind), np.random.default_rng(0).normal(size=shape)
    for number, matrix in enumerate(group.operations):
        assert np.array_equal(group.move(array, number), moved(array, matrix))
        for wave in waves(shape):
            assert np.array_equal(pattern(group.move_wave(wave, number), shape), moved(pattern(wave, shape), matrix))


@pytest.mark.parametrize("values", [2, 40, None])
def test_couplings_with_a_pattern_keep_its_symmetries(values):
    """Of any number of different values: the translations of a pattern that is repeated, and of none."""
    rng, shape = np.random.default_rng(0), (4, 6)
    tile = rng.normal(size=(4, 3)) if values is None else rng.integers(values, size=(4, 3)) / 7 + 1
    field = np.concatenate([tile, tile], 1)
    for h in (field, field + (np.indices(shape).sum(0) == 0)):
        want = sum(np.array_equal(np.roll(h, t, (0, 1)), h) for t in np.ndindex(shape))
        group = symmetries(OffsetHamiltonian({(1, 0): 1.0, (0, 1): 0.5}, h).on(*shape))
        assert group.allowed[0].sum() == want and not group.flipped.any()


def test_symmetries_leave_the_energy():
    rng, shape = np.random.default_rng(0), (4, 4)
    patterned = OffsetHamiltonian({(1, 0): CHECKERS * 1.0, (0, 1): 0.5}, 0.2 * STRIPES)
    spins = rng.choice([-1, 1], (20, *shape))
    group, whole = symmetries(patterned.on(*shape)), space_group(shape)
    kept = sum(
        np.allclose(patterned.energy(np.stack([move(s) for s in spins])), patterned.energy(spins))
        for move in elements(whole)
    )
    assert 1 < group.order == kept
    with pytest.raises(ValueError, match="sample to sample"):
        symmetries(OffsetHamiltonian({(1, 0): rng.normal(size=(20, 1, 1))}).on(*shape))


def test_variants():
    names = [{state_name(s) for s in orbit} for orbit in variants((4, 4), symmetries(j1j2(1, -1).on(4, 4)))]
    assert {"uniform +", "uniform -"} in names and {"checkerboard +", "checkerboard -"} in names
    assert {f"stripes_{a} {s}" for a, s in itertools.product("xy", "+-")} in names and len(names) == 3
    names = [{state_name(s) for s in orbit} for orbit in variants((4, 4), symmetries(nearest(2, (1, 2), 0.1).on(4, 4)))]
    assert {"uniform +"} in names and {"stripes_x +", "stripes_x -"} in names and len(names) == 5


def test_phases():
    (best, sign), known = phases(orders(np.stack([-UP, CHECKERS, STRIPES, LAYERS]))), waves((4, 4))
    assert [known[k] for k in best[:3]] == [(0, 0), (1, 1), (1, 0)] and sign.tolist() == [-1, 1, 1, 0]


def images_alike(spins, group):
    return image_balance(*images(spins, group), group.order // stabilizer_orders(spins, group))


def states(counts):
    """The four striped ground states, as often as told."""
    kinds = [STRIPES, -STRIPES, STRIPES.T, -STRIPES.T]
    return np.concatenate([np.repeat(kind[None], number, 0) for kind, number in zip(kinds, counts, strict=True)])


def test_balanced_and_unbalanced_variants():
    group = symmetries(j1j2(0.1, -1.0).on(4, 4))
    fair, unfair = (variant_balance(orders(states(counts)), group) for counts in ([52, 48, 49, 51], [100, 100, 0, 0]))
    assert fair.counts == ({"stripes_x +": 52, "stripes_x -": 48, "stripes_y +": 49, "stripes_y -": 51},)
    assert fair.balance.p_value > 0.9 and unfair.balance.p_value < 1e-20
    assert images_alike(states([52, 48, 49, 51]), group).p_value == pytest.approx(fair.balance.p_value)
    assert images_alike(states([100, 100, 0, 0]), group).p_value < 1e-20
    assert variant_balance(orders(np.stack([LAYERS, UP, -UP])), group).balance.undecided == 1


@pytest.mark.slow
def test_p_values_of_invariant_laws_are_uniform():
    """500 invariant sets.

    P-values fall below 0.05 and 0.5 as often as they say; for few and for many samples an orbit.
    """
    rng, group = np.random.default_rng(1), space_group((3, 4))
    moves = list(elements(group))
    seeds = rng.choice([-1, 1], (40, 3, 4), p=[0.35, 0.65])
    p_values = []
    for _ in range(200):
        chosen = zip(rng.integers(40, size=120), rng.integers(len(moves), size=120), strict=True)
        p_values.append(images_alike(np.stack([moves[m](seeds[k]) for k, m in chosen]), group).p_value)
    assert 0.2 < np.mean(np.array(p_values) < 0.5) < 0.7 and np.mean(np.array(p_values) < 0.01) < 0.06
    many = np.array([frequency_balance(rng.multinomial(1000, [0.125] * 8)).p_value for _ in range(500)])
    assert 0.03 < np.mean(many < 0.05) < 0.07 and 0.43 < np.mean(many < 0.5) < 0.57


def test_places():
    """Blobs that stand anywhere are balanced, blobs that stand in one place are not.

    A reflection-symmetric blob too.
    """
    rng, group = np.random.default_rng(2), space_group((16, 16))
    blob = -np.ones((16, 16), int)
    blob[2:7, 3:8] = 1
    blob[9, 9] = 1
    moved = np.stack([np.roll(blob, rng.integers(16, size=2), (0, 1)) for _ in range(640)])
    assert place_balance(moved, group).p_value > 1e-4
    assert place_balance(np.repeat(blob[None], 640, 0), group).p_value < 1e-20
    shifts = np.stack([np.roll(blob, (a, b), (0, 1)) for a in range(16) for b in range(16)])
    assert place_balance(shifts, group).statistic == pytest.approx(0)  # every place once
    assert place_balance(np.ones((5, 4, 4)), space_group((4, 4))).p_value is None


def test_balance_knows_when_nothing_can_tell():
    alone = orbit_balance([0, 1, 2], [0, 1, 2], [4, 4, 4])
    assert alone.p_value is None and alone.undecided == 3 and alone.estimate() == nothing(3)
    assert orbit_balance([], [], []).p_value is None
    assert frequency_balance([30, 30]).p_value == 1 and frequency_balance([60, 0]).p_value < 1e-10
    assert frequency_balance([60, 40], inflation=10.0).p_value > frequency_balance([60, 40]).p_value


def test_symmetry_breaking_gap():
    got = breaking_gap([256, 256, 256], [128, 64, 256])
    assert got.value == pytest.approx((math.log(2) + math.log(4)) / 3) and got.count == 3
    assert broken_share([256, 256, 256, 1], [128, 64, 256, 1]).value == pytest.approx(2 / 3)
    huge = math.factorial(400)
    assert breaking_gap([huge, None], [huge, 2]).value == 0 and breaking_gap([None], [2]) == nothing(1)
    with pytest.raises(ValueError, match="at least 1"):
        breaking_gap([0], [1])
