"""Permutations of labels and the space group, against trying all elements."""

import itertools
import math

import numpy as np
import pytest

from symdiff.domains.lattice import SpinLattice
from symdiff_evaluation.spins.relabelings import Relabelings, count_kept, images
from symdiff_evaluation.spins.symmetry import space_group, symmetries
from tests.oracles.offset_hamiltonian import nearest

CASES = [
    ("potts", 3, (3, 3)),
    ("potts", 4, (2, 3)),
    ("clock", 4, (6,)),
    ("clock", 5, (2, 4)),
    ("clock", 2, (4,)),
    ("clock", 3, (2, 2, 2)),
]


def permutations(model: str, states: int) -> set[tuple[int, ...]]:
    if model == "potts":
        return set(itertools.permutations(range(states)))
    return {tuple((sense * s + k) % states for s in range(states)) for sense in (1, -1) for k in range(states)}


def moved(labels: np.ndarray, group: Relabelings) -> np.ndarray:
    """One configuration by every element: (order, L1, ..., Ld)."""
    found = []
    for number in range(len(group.allowed)):
        for t in zip(*np.nonzero(group.allowed[number]), strict=True):
            image = np.roll(group.space.move(labels, number), t, range(labels.ndim))
            found += [np.array(names)[image] for names in permutations(group.model, group.states)]
    return np.stack(found)


def groups(model: str, states: int, shape: tuple[int, ...]) -> list[Relabelings]:
    """All symmetries, and those of couplings that differ from axis to axis."""
    uneven = symmetries(nearest(len(shape), tuple(1.0 + axis for axis in range(len(shape)))).on(*shape))
    return [Relabelings(space, model, states) for space in (space_group(shape), uneven)]


@pytest.mark.parametrize(("model", "states", "shape"), CASES)
def test_stabilizers_and_images_are_enumeration(model, states, shape):
    rng = np.random.default_rng(sum(shape))
    law = np.arange(1, states + 1) ** 3.0
    labels = np.concatenate(
        [
            rng.choice(states, (6, *shape), p=law / law.sum()),
            np.zeros((1, *shape), int),
            rng.integers(2, size=(2, *shape)),
        ]
    )
    several = groups(model, states, shape)
    for group, kept in zip(several, count_kept(labels, several), strict=True):
        for one, found in zip(labels, kept, strict=True):
            every = moved(one, group)
            assert len(every) == group.order and found == (every == one).reshape(len(every), -1).all(1).sum()
            least, own = images(every, group)
            assert len(set(least)) == 1 and len(set(own)) * found == group.order
        orbits = {frozenset(image.tobytes() for image in moved(one, group)) for one in labels}
        assert len(set(images(labels, group)[0])) == len(orbits)


def test_large_lattices():
    stripes = np.indices((16, 16))[0] % 4
    for model, ways in (("potts", 24), ("clock", 8)):
        group = Relabelings(space_group((16, 16)), model, 4)
        assert group.order == 8 * 256 * ways
        # translations along, four times reflections of both axes; every shift across is undone by a rotation of labels
        assert count_kept(stripes[None], (group,)).tolist() == [[16 * 16 * 4]]
    with pytest.raises(ValueError, match="up to 64 sites"):
        images(stripes[None], group)


def test_one_site_off_is_seen_with_many_states():
    one = np.zeros((1, 4, 4), int)
    one[0, 1, 2] = 1
    group = Relabelings(space_group((4, 4)), "clock", 127)
    assert count_kept(one, (group,)).tolist() == [[8]]  # the point group around that site
    assert count_kept(np.zeros((1, 4, 4), int), (group,)).tolist() == [[2 * 128]]


@pytest.mark.parametrize(("model", "states"), [("potts", 4), ("clock", 6), ("clock", 2)])
def test_it_is_the_group_of_the_domain(model, states):
    _, labels = SpinLattice("square", [4, 4], model, states).group.groups
    assert Relabelings(space_group((4, 4)), model, states).order == labels.order * space_group((4, 4), flip=False).order
    assert math.factorial(states) == labels.order or model == "clock"
