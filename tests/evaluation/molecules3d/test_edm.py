"""EDM's distance rule: single molecules by hand, and the published row of QM9's own test split."""

import os
from pathlib import Path

import numpy as np
import pytest

from symdiff_evaluation.molecules3d.edm import count_stable, find_bond_orders, find_largest_fragment

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "qm9", "qm9_geom.npz")


@pytest.mark.parametrize(("a", "b", "angstrom", "order"), [
    (6, 6, 1.63, 1), (6, 6, 1.65, 0), (6, 6, 1.38, 2), (6, 6, 1.40, 1), (6, 6, 1.22, 3), (6, 6, 1.24, 2),
    (1, 8, 1.05, 1), (1, 8, 1.07, 0), (7, 7, 1.12, 3), (9, 9, 1.0, 1),
])  # fmt: skip
def test_orders_change_at_length_plus_margin(a, b, angstrom, order):
    orders = find_bond_orders(np.array([a, b]), np.array([[0, 0, 0], [0, 0, angstrom]]))
    assert orders.tolist() == [[0, order], [order, 0]]


def test_water_is_stable_and_hydroxyl_is_not():
    water = np.array([8, 1, 1]), np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    orders = find_bond_orders(*water)
    assert count_stable(water[0], orders) == 3
    assert find_largest_fragment(water[0], orders) == "[H]O[H]"
    assert count_stable(water[0][:2], orders[:2, :2]) == 1


def test_an_element_without_a_length_is_refused():
    with pytest.raises(ValueError, match="EDM's tables know"):
        find_bond_orders(np.array([6, 16]), np.zeros((2, 3)))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_file(), reason="SYMDIFF_DATA names no folder with qm9/qm9_geom.npz")
def test_the_published_row_of_qm9():
    with np.load(DATA, allow_pickle=False) as file:
        offsets, numbers, positions, split = (file[name] for name in ("offsets", "z", "pos", "edm_split"))
    rows = np.flatnonzero(split == 2)
    stable, atoms, whole, names = 0, 0, 0, []
    for row in rows:
        here = slice(offsets[row], offsets[row + 1])
        orders = find_bond_orders(numbers[here], positions[here])
        count = count_stable(numbers[here], orders)
        stable, atoms, whole = stable + count, atoms + len(orders), whole + (count == len(orders))
        names.append(find_largest_fragment(numbers[here], orders))
    valid = [name for name in names if name is not None]
    assert len(rows) == 13_083
    assert whole / len(rows) == pytest.approx(0.9522, abs=5e-5)
    assert stable / atoms == pytest.approx(0.9934, abs=5e-5)
    assert len(valid) / len(rows) == pytest.approx(0.9774, abs=5e-5)
    assert len(set(valid)) / len(rows) == pytest.approx(0.9774, abs=5e-5)
