"""Point groups of exact ideal geometries, laws of the measures, and the curve between tolerances."""

import math

import numpy as np
import pytest

from symdiff_evaluation.molecules3d.operations import ANGLES, Figure, _highest
from symdiff_evaluation.molecules3d.point_groups import AXIAL, has_improper, matrices, operation, order
from symdiff_evaluation.molecules3d.samples import PlacedAtoms
from symdiff_evaluation.molecules3d.symmetry import LIMIT, measure_shape

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / math.sqrt(3)
GOLDEN = (1 + math.sqrt(5)) / 2
NAMES = ["C1", "Ci", "Cs", *(f"S{n}" for n in range(4, 13, 2)), "T", "Td", "Th", "O", "Oh", "I", "Ih"]
NAMES += [
    f"{family}{n}{kind}"
    for n in AXIAL
    for family, kind in (("C", ""), ("C", "v"), ("C", "h"), ("D", ""), ("D", "h"), ("D", "d"))
]
ORDERS = {
    "C1": 1,
    "Ci": 2,
    "Cs": 2,
    **{f"S{n}": n for n in range(4, 13, 2)},
    "T": 12,
    "Td": 24,
    "Th": 24,
    "O": 24,
    "Oh": 48,
    "I": 60,
    "Ih": 120,
}


def ring(n, radius, z=0.0, start=0.0):
    turns = start + 2 * math.pi * np.arange(n) / n
    return np.stack([radius * np.cos(turns), radius * np.sin(turns), np.full(n, z)], 1)


def made(*parts):
    numbers = [number for number, points in parts for _ in np.atleast_2d(points)]
    return PlacedAtoms(
        np.array(numbers, np.uint8), np.concatenate([np.atleast_2d(points) for _, points in parts]).astype(float)
    )


O, FACES = [[0, 0, 0]], np.concatenate([np.eye(3), -np.eye(3)])
IDEAL = {
    "methane": ("Td", made((6, O), (1, 1.09 * TETRAHEDRON))),
    "benzene": ("D6h", made((6, ring(6, 1.39)), (1, ring(6, 2.48)))),
    "water": ("C2v", made((8, O), (1, [[0.76, 0, 0.59], [-0.76, 0, 0.59]]))),
    "ammonia": ("C3v", made((7, O), (1, ring(3, 0.94, 0.38)))),
    "carbon dioxide": ("D∞h", made((6, O), (8, [[0, 0, 1.16], [0, 0, -1.16]]))),
    "hydrogen cyanide": ("C∞v", made((6, O), (7, [[0, 0, 1.16]]), (1, [[0, 0, -1.07]]))),
    "hydrogen": ("D∞h", made((1, [[0, 0, 0], [0, 0, 0.74]]))),
    "hydrogen fluoride": ("C∞v", made((1, O), (9, [[0, 0, 0.92]]))),
    "helium": ("K∞h", made((2, O))),
    "ethane, staggered": ("D3d",
        made((6, [[0, 0, 0.77], [0, 0, -0.77]]), (1, ring(3, 1.02, 1.16)), (1, ring(3, 1.02, -1.16, math.pi / 3)))),
    "ethane, eclipsed": ("D3h",
        made((6, [[0, 0, 0.77], [0, 0, -0.77]]), (1, ring(3, 1.02, 1.16)), (1, ring(3, 1.02, -1.16)))),
    "ethane, twisted": ("D3",
        made((6, [[0, 0, 0.77], [0, 0, -0.77]]), (1, ring(3, 1.02, 1.16)), (1, ring(3, 1.02, -1.16, 0.5)))),
    "allene": ("D2d",
        made((6, [[0, 0, 0], [0, 0, 1.31], [0, 0, -1.31]]), (1, ring(2, 0.93, 1.87)),
            (1, ring(2, 0.93, -1.87, math.pi / 2)))),
    "sulfur hexafluoride": ("Oh", made((16, O), (9, 1.56 * FACES))),
    "methane with four halogens": ("C1",
        made((6, O),
            *((z, r * p) for z, r, p in zip((1, 17, 9, 35), (1.09, 1.76, 1.36, 1.94), TETRAHEDRON, strict=True)))),
    "dichloromethane": ("C2v", made((6, O), (1, 1.09 * TETRAHEDRON[:2]), (17, 1.77 * TETRAHEDRON[2:]))),
    "fluorodichloromethane": ("Cs",
        made((6, O), (1, 1.09 * TETRAHEDRON[:1]), (9, 1.36 * TETRAHEDRON[1:2]), (17, 1.77 * TETRAHEDRON[2:]))),
    "hydrogen peroxide": ("C2", made((8, [[0.73, 0, 0], [-0.73, 0, 0]]), (1, [[0.89, 0.5, 0.8], [-0.89, -0.5, 0.8]]))),
    "hydrogen peroxide, trans": ("C2h",
        made((8, [[0.73, 0, 0], [-0.73, 0, 0]]), (1, [[0.89, 0.9, 0], [-0.89, -0.9, 0]]))),
    "ethene": ("D2h",
        made((6, [[0.67, 0, 0], [-0.67, 0, 0]]), (1, [[a * 1.23, b * 0.93, 0] for a in (1, -1) for b in (1, -1)]))),
    "xenon tetrafluoride": ("D4h", made((54, O), (9, ring(4, 1.95)))),
    "boric acid": ("C3h", made((5, O), (8, ring(3, 1.37)), (1, ring(3, 1.9, 0, 0.5)))),
    "icosahedron": ("Ih",
        made((5,
            np.concatenate([np.roll([[0, a, b * GOLDEN]], k, 1) for k in range(3) for a in (1, -1) for b in (1,
                -1)])))),
    "cubane": ("Oh",
        made((6, 1.36 / math.sqrt(3) * np.array([[a, b, c] for a in (1, -1) for b in (1, -1) for c in (1, -1)])))),
    "ferrocene, staggered": ("D5d", made((26, O), (6, ring(5, 1.21, 1.66)), (6, ring(5, 1.21, -1.66, math.pi / 5)))),
    "S4": ("S4",
        made((6, O), (9, ring(2, 1.3, 1.0)), (9, ring(2, 1.3, -1.0, math.pi / 2)), (1, ring(2, 1.6, 1.5, 0.7)),
            (1, ring(2, 1.6, -1.5, math.pi / 2 - 0.7 + 1.4)))),
}  # fmt: skip


def turned(geometry, seed, mirrored=False):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q)) * (-1 if mirrored else 1)
    order = rng.permutation(len(geometry.numbers))
    return PlacedAtoms(geometry.numbers[order], geometry.positions[order] @ q.T + rng.normal(size=3))


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_groups(name):
    elements = matrices(name)
    assert np.abs(elements @ np.swapaxes(elements, 1, 2) - np.eye(3)).max() < 1e-9
    products = (elements[:, None] @ elements).reshape(-1, 1, 9) - elements.reshape(1, -1, 9)
    assert (np.abs(products).max(2) < 1e-6).sum(1).tolist() == [1] * len(elements) ** 2
    n = int(name[1:].rstrip("vhdis")) if name[1:2].isdigit() else 0
    expected = ORDERS.get(name) or n * {"C": 1, "D": 2}[name[0]] * (2 if name[-1] in "vhd" else 1)
    assert order(name) == expected and has_improper(name) == (name[-1] in "vhdis" or name[0] == "S")


@pytest.mark.slow
@pytest.mark.parametrize("name", IDEAL)
def test_ideal_geometries(name):
    want, geometry = IDEAL[name]
    for seed in (None, 1, 2):
        found = measure_shape(geometry if seed is None else turned(geometry, seed, mirrored=seed == 2))
        assert found.group(1e-6) == want and found.group(0.05) == want
        assert found.levels[0].group == "C1" or want == "K∞h"
        assert (found.chirality < 1e-6) == has_improper(want)


@pytest.mark.parametrize(
    "name",
    [
        "benzene",
        "ammonia",
        "allene",
        "hydrogen peroxide",
        "ethene",
        "methane",
        "ethane, staggered",
        "sulfur hexafluoride",
    ],
)
def test_near_a_symmetric_figure_there_is_its_group(name):
    want, geometry = IDEAL[name]
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=geometry.positions.shape) * 0.03
        found = measure_shape(geometry._replace(positions=geometry.positions + noise))
        moved = math.sqrt((noise**2).sum(1).mean())
        # an operation of the figure moves the noisy one by the noise and its image at most
        assert found.at(2 * moved).order >= order(want) and found.at(0.005).order == 1


def noisy(seed, size=12):
    rng = np.random.default_rng(seed)
    return PlacedAtoms(rng.choice([1, 6, 8], size, p=[0.5, 0.4, 0.1]), rng.normal(size=(size, 3)) * 1.5)


@pytest.mark.parametrize(
    "geometry",
    [noisy(seed) for seed in range(4)] + [IDEAL["hydrogen peroxide"][1], IDEAL["methane with four halogens"][1]],
)
def test_measures_do_not_depend_on_place_orientation_or_order(geometry):
    one = measure_shape(geometry)
    for other in (measure_shape(turned(geometry, 5)), measure_shape(turned(geometry, 6, mirrored=True))):
        for kind, value in one.measures.items():
            assert other.measures[kind] == pytest.approx(value, abs=1e-6) or min(value, other.measures[kind]) > LIMIT
        assert [level.group for level in other.levels] == [level.group for level in one.levels]
        assert [level.deviation for level in other.levels] == pytest.approx(
            [level.deviation for level in one.levels], abs=1e-6
        )


def test_levels_grow():
    found = measure_shape(IDEAL["ammonia"][1])
    assert [level.group for level in found.levels] == [
        "C1",
        "C3v",
        "D3h",
    ]  # the last: hydrogens in the plane of nitrogen
    # nitrogen is 0.285 below the centroid and each hydrogen 0.095 above; across the plane each lands twice as far from
    # itself
    assert found.levels[2].deviation == pytest.approx(2 * math.sqrt((0.285**2 + 3 * 0.095**2) / 4), abs=1e-6)
    assert found.levels[1].permutations == 6 and found.levels[2].permutations == 6
    with pytest.raises(ValueError, match="tolerance"):
        found.at(1.0)


def test_the_measure_of_a_bent_line():
    bend = 0.1
    water = made((8, O), (1, [[0.95, 0, bend], [-0.95, 0, bend]]))
    rms = bend * math.sqrt(2 / 9)  # of the heights about their mean
    assert (
        measure_shape(water).measures["linear"] == pytest.approx(2 * rms)
        and measure_shape(water).group(2 * rms + 1e-9) == "D∞h"
    )


@pytest.mark.parametrize("kind", [kind for kind in ANGLES if kind != "i"])
def test_the_best_axis_is_the_best_of_many(kind):
    rng = np.random.default_rng(3)
    figure = Figure(np.array([6] * 7), rng.normal(size=(7, 3)))
    pairs = np.array([rng.permutation(7) for _ in range(5)])
    angle, improper = ANGLES[kind]
    best = figure.deviations(operation(figure.best_axes(pairs, kind), angle, improper), pairs)
    tried = rng.normal(size=(20000, 3))
    tried = operation(tried / np.linalg.norm(tried, axis=1, keepdims=True), angle, improper)
    for k in range(5):
        other = figure.deviations(tried, np.broadcast_to(pairs[k], (20000, 7))).min()
        assert other - 0.01 < best[k] <= other + 1e-9


def test_the_highest_point_of_a_sphere_in_the_hard_case():
    # nothing along the largest eigenvalue: both signs are as good, and the rest of the unit length lies there
    found = _highest(np.diag([1.0, 2.0, 5.0])[None], np.array([[1.0, 0.0, 0.0]]))[0]
    value = found @ np.diag([1.0, 2, 5]) @ found + found[0]
    grid = np.random.default_rng(0).normal(size=(50000, 3))
    grid /= np.linalg.norm(grid, axis=1, keepdims=True)
    assert value >= ((grid**2) @ [1, 2, 5] + grid[:, 0]).max() - 1e-9 and np.linalg.norm(found) == pytest.approx(1)
