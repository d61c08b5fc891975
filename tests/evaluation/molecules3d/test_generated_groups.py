"""Figures made from every point group up to axes of order 12: the evaluation and ``Frames`` see that group."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from symdiff.canonical.frames import Frames
from symdiff.state import Categorical, Real, State
from symdiff_evaluation.molecules3d.point_groups import AXIAL, CUBIC, has_improper, matrices, order
from symdiff_evaluation.molecules3d.read import read
from symdiff_evaluation.molecules3d.samples import PlacedAtoms
from symdiff_evaluation.molecules3d.symmetry import UNDECIDED, measure_shape

CASES = Path(__file__).parents[2] / "cases"
NAMES = ["C1", "Ci", "Cs", *CUBIC, *(f"S{n}" for n in range(4, 13, 2))]
NAMES += [
    f"{family}{kind}"
    for n in AXIAL
    for family, kind in ((f"C{n}", ""), (f"C{n}", "v"), (f"C{n}", "h"), (f"D{n}", ""), (f"D{n}", "h"), (f"D{n}", "d"))
]


def figure(name: str, seed: int = 1) -> PlacedAtoms:
    """Orbits of points at random, turned and in random order, at least 0.7 angstrom apart.

    One orbit of a cubic group has no other symmetry; one of an axial group may have, so others beside it break that.
    """
    operations, rng = matrices(name), np.random.default_rng(seed)
    elements = [6] if name in CUBIC else [6, 8] if len(operations) > 4 else [6, 8, 7, 9]
    numbers, points = [], np.zeros((0, 3))
    for place, element in enumerate(elements):
        while True:
            point = rng.normal(size=3)
            radius = (1 + 0.3 * place) * max(
                2.0, 0.22 * len(operations) if name not in CUBIC else 0.5 * math.sqrt(len(operations))
            )
            more = np.concatenate([points, operations @ (point * radius / np.linalg.norm(point))])
            if (np.linalg.norm(more[:, None] - more, axis=2) + 9 * np.eye(len(more))).min() > 0.7:
                break
        numbers += [element] * len(operations)
        points = more
    turn, places = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.permutation(len(numbers))
    return PlacedAtoms(np.array(numbers, np.uint8)[places], (points @ turn.T)[places])


def state(geometry: PlacedAtoms) -> State:
    schema = {"atom": Categorical("node", 10), "position": Real("node", 1, vector=3)}
    values = {
        "atom": torch.tensor(geometry.numbers.astype(np.int64))[None],
        "position": torch.tensor(geometry.positions)[None, :, None],
    }
    return State(torch.ones(1, len(geometry.numbers), dtype=torch.bool), schema, values)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_evaluation_sees_the_group(name):
    found = measure_shape(figure(name))
    assert found.group(0.002) == name and found.at(0.002).permutations == order(name)
    assert (found.chirality < 1e-6) == has_improper(name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "Ih" else name for name in NAMES]
)
def test_frames_count_its_operations(name):
    x = state(figure(name))
    proper = int((np.linalg.det(matrices(name)) > 0).sum())
    assert Frames().automorphisms(x).tolist() == [order(name)]
    assert Frames(special=True).automorphisms(x).tolist() == [proper]


def test_molecules_with_axes_of_high_order():
    some = read(CASES / "f06_axes.xyz")
    groups = [measure_shape(some[k]) for k in range(len(some))]
    assert [one.group(0.1) for one in groups] == ["D6h", "D7h", "D8h", "D9h", "C7v"]
    for k, one in enumerate(groups):
        geometry = some[k]
        centered = geometry._replace(
            numbers=np.searchsorted(np.unique(geometry.numbers), geometry.numbers).astype(np.uint8)
        )
        assert Frames().automorphisms(state(centered)).tolist() == [one.at(0.1).order]


@pytest.mark.parametrize("count", [13, 14, 17, 24])
def test_axes_beyond_are_undecided(count):
    turns = 2 * math.pi * np.arange(count) / count
    circle = np.stack([np.cos(turns), np.sin(turns), np.zeros(count)], 1) * count * 0.23
    disk = PlacedAtoms(np.array([6] * count + [8], np.uint8), np.concatenate([circle, [[0, 0, 1.0]]]))
    found = measure_shape(disk)
    assert found.group(0.01) == UNDECIDED and found.at(0.01).order == math.inf
    assert Frames().automorphisms(state(disk)).isnan().all()
    bent = circle * (1, 1.3, 1)  # an ellipse is far from any circle
    ellipse = PlacedAtoms(disk.numbers, np.concatenate([bent, [[0, 0, 1.0]]]))
    assert measure_shape(ellipse).group(0.1) != UNDECIDED and Frames().automorphisms(state(ellipse)).isfinite().all()
