"""Bond orders and formal charges of atoms whose neighbors are known: the assignment with the fewest charges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

STATES: dict[int, dict[int, int]] = {
    1: {1: 0}, 3: {0: 1}, 5: {3: 0, 4: -1}, 6: {4: 0, 3: -1}, 7: {3: 0, 4: 1, 2: -1}, 8: {2: 0, 1: -1, 3: 1},
    9: {1: 0, 0: -1}, 11: {0: 1}, 12: {0: 2}, 14: {4: 0}, 15: {3: 0, 5: 0, 4: 1}, 16: {2: 0, 4: 0, 6: 0, 1: -1, 3: 1},
    17: {1: 0, 0: -1}, 19: {0: 1}, 20: {0: 2}, 33: {3: 0, 5: 0, 4: 1}, 34: {2: 0, 4: 0, 6: 0, 1: -1, 3: 1},
    35: {1: 0, 0: -1}, 53: {1: 0, 3: 0, 5: 0, 0: -1},
}  # fmt: skip
"""Formal charge by valence (sum of bond orders) of what is chemically common, by atomic number; the first valence is
the usual one.

Carbocations are not: where the charge of a molecule leaves nothing else, no assignment is found.
"""
_RADII = {
    1: (0.32, 0.32, 0.32), 5: (0.85, 0.78, 0.73), 6: (0.75, 0.67, 0.60), 7: (0.71, 0.60, 0.54), 8: (0.63, 0.57, 0.53),
    9: (0.64, 0.59, 0.53), 14: (1.16, 1.07, 1.02), 15: (1.11, 1.02, 0.94), 16: (1.03, 0.94, 0.95),
    17: (0.99, 0.95, 0.93), 33: (1.21, 1.14, 1.06), 34: (1.16, 1.07, 1.07), 35: (1.14, 1.09, 1.10),
    53: (1.33, 1.29, 1.25),
}  # fmt: skip
"""Covalent radii in single, double and triple bonds, angstrom: Pyykkö and Atsumi, Chemistry: A European Journal 15
(2009), 186 and 12770."""
_CHARGE, _UNUSUAL, _LENGTH = 100.0, 3.0, 1.0  # costs of a unit of charge, of an unusual valence, of an angstrom
_ANION = {6: 50.0, 7: 10.0}  # what a negative charge costs more than on oxygen
_EARLY = 1e-3  # what it costs more on the first atom than on the last: of two that are alike the later one has it
_NODES = 2000  # of the branch-and-bound tree; nitro compounds and their like need one


class Bonding(NamedTuple):
    """Bonds and charges of the atoms of a molecule.

    Parameters
    ----------
    orders : ndarray, (E,)
        Orders 1, 2, 3 of the bonds.
    charges : ndarray, (n,)
        Formal charges of the atoms.
    """

    orders: np.ndarray
    charges: np.ndarray


class Undecided(RuntimeError):
    """Whether there are bonds that fit could not be decided."""


def assign(numbers: np.ndarray, edges: np.ndarray, lengths: np.ndarray, total: int = 0) -> Bonding | None:
    """Assign bond orders and formal charges: fewest charges, then fewest unusual valences, then lengths that fit best.

    An integer program over the orders of all bonds and the valences of all atoms (``STATES``), solved exactly.

    Parameters
    ----------
    numbers : numpy.ndarray
        (n,) atomic numbers.
    edges : numpy.ndarray
        (E, 2) pairs of bonded atoms.
    lengths : numpy.ndarray
        (E,) their distances in angstrom.
    total : int
        The charge of the whole.

    Returns
    -------
    Bonding or None
        None where it is certain that no assignment exists.

    Raises
    ------
    Undecided
        The search took too many steps ("iterations"), or an element is not in the table of common valences ("element").
    """
    numbers, edges = np.asarray(numbers, np.int64), np.asarray(edges, np.int64).reshape(-1, 2)
    if not set(numbers.tolist()) <= STATES.keys():
        raise Undecided("element")
    count, neighbors = len(numbers), np.bincount(edges.ravel(), minlength=len(numbers))
    highest = np.array([max(STATES[number]) for number in numbers.tolist()])
    free = np.all((highest > neighbors)[edges], axis=1)  # the others are single: one of their atoms has no valence left
    edges, lengths = edges[free], np.asarray(lengths, np.float64)[free]
    bonds, room = len(edges), 2 * np.bincount(edges.ravel(), minlength=count)
    # unknowns: of each bond, whether its order is at least 2 and at least 3; of each atom, which of its valences it has
    allowed = _allow_valences(numbers, neighbors, neighbors + room)
    if len(np.unique(allowed.atoms)) < count:
        return None
    cost = np.concatenate([_mismatch(numbers, edges, lengths), allowed.costs])
    chosen = _solve(cost, _make_equations(allowed, edges, neighbors, total))
    if chosen is None:
        return None
    charges = np.zeros(count, np.int64)
    np.add.at(charges, allowed.atoms, allowed.charges * chosen[2 * bonds :])
    orders = np.ones(len(free), np.int64)
    orders[free] += chosen[:bonds] + chosen[bonds : 2 * bonds]
    return Bonding(orders, charges)


class _Valences(NamedTuple):
    """The valences that atoms may have, one an entry: whose each is, what charge it means and what it costs."""

    atoms: np.ndarray
    valences: np.ndarray
    charges: np.ndarray
    costs: np.ndarray


def _allow_valences(numbers: np.ndarray, least: np.ndarray, most: np.ndarray) -> _Valences:
    """The valences of every atom, (n,), that lie between its bounds."""
    entries: list[tuple[int, int, int, float]] = []
    for atom, number in enumerate(numbers.tolist()):
        for place, (valence, charge) in enumerate(STATES[number].items()):
            if least[atom] <= valence <= most[atom]:
                anion = (_ANION.get(number, 0.0) + _EARLY * (len(numbers) - atom) / len(numbers)) * (charge < 0)
                cost = _CHARGE * abs(charge) + anion + _UNUSUAL * (place > 0 and charge == 0)
                entries.append((atom, valence, charge, cost))
    atoms, valences, charges, costs = zip(*entries, strict=True) if entries else ((), (), (), ())
    return _Valences(
        np.array(atoms, np.int64),
        np.array(valences, np.int64),
        np.array(charges, np.int64),
        np.array(costs, np.float64),
    )


def _make_equations(allowed: _Valences, edges: np.ndarray, neighbors: np.ndarray, total: int) -> LinearConstraint:
    """One valence an atom; bond orders add up to it; what is at least 3 is at least 2; the total charge."""
    count, bonds, states = len(neighbors), len(edges), len(allowed.atoms)
    state = 2 * bonds + np.arange(states)
    first, second = np.arange(bonds), bonds + np.arange(bonds)
    rows = [  # (row, column, value)
        (allowed.atoms, state, np.ones(states)),
        *((count + edges[:, end], column, np.ones(bonds)) for end in (0, 1) for column in (first, second)),
        (count + allowed.atoms, state, -allowed.valences),
        (2 * count + first, first, np.ones(bonds)), (2 * count + first, second, -np.ones(bonds)),
        (np.full(states, 2 * count + bonds), state, allowed.charges),
    ]  # fmt: skip
    row, column, value = (np.concatenate(part) for part in zip(*rows, strict=True))
    shape = (2 * count + bonds + 1, 2 * bonds + states)
    low = np.concatenate([np.ones(count), -neighbors, np.zeros(bonds), [total]])
    high = np.concatenate([np.ones(count), -neighbors, np.ones(bonds), [total]])
    matrix = coo_array((value.astype(np.float64), (row, column)), shape=shape).tocsr()
    # scipy has no annotations: bounds pass for single numbers, as their defaults are
    return LinearConstraint(matrix, low, high)  # pyright: ignore[reportArgumentType]


def _solve(cost: np.ndarray, equations: LinearConstraint) -> np.ndarray | None:
    """The zeros and ones of least cost that fulfil the equations; None where it is certain that there are none."""
    options = {"node_limit": _NODES, "mip_rel_gap": 0.0}
    solution = milp(cost, integrality=1, bounds=Bounds(0, 1), constraints=equations, options=options)
    if solution.status == 2:
        return None
    if solution.status != 0:
        raise Undecided("iterations")
    return solution.x.round().astype(np.int64)


def _mismatch(numbers: np.ndarray, edges: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(2E,) what raising each bond's order from 1 to 2, and from 2 to 3, costs by its length."""
    radii = np.zeros((max(numbers.max(initial=1), 1) + 1, 3))
    for number in set(numbers.tolist()) & _RADII.keys():
        radii[number] = _RADII[number]
    gaps = np.abs((radii[numbers[edges[:, 0]]] + radii[numbers[edges[:, 1]]]) - lengths[:, None])
    return _LENGTH * np.diff(gaps, axis=1).T.reshape(-1)
