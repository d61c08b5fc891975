"""Exact ground states of small tori: the lowest energy and how many configurations have it, by the transfer matrix at T = 0."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.spins.hamiltonian import Hamiltonian
from symdiff_evaluation.spins.torus import NEAR, WIDEST

WIDEST_DISORDERED = 8
_EQUAL = 1e-9  # energies closer than this are one level


def ground_states(hamiltonian: Hamiltonian, shape: tuple[int, int]) -> tuple[float, float]:
    """Lowest energy per site and number of configurations that have it (exact below 2^53).

    For L1 x L2 tori with couplings along (1, 0), (0, 1), (1, 1), (1, -1): uniform ones up to L2 = 10, others up to 8. In the
    (min, +) algebra with counts the product of the transfer matrices of all rows gives for each first row the best energy of
    a torus that returns to it. Raises ``ValueError`` for what this does not cover.
    """
    if not covers(hamiltonian, shape):
        raise ValueError(f"exact ground states need a torus at most {WIDEST} wide (disordered: {WIDEST_DISORDERED}), got {shape}")
    height, width = shape
    rows = 1 - 2 * ((np.arange(2**width)[:, None] >> np.arange(width)) & 1)
    codes = np.arange(2**width)
    starts, weight = codes, np.ones(len(codes))
    if hamiltonian.uniform:  # first rows that a translation carries to each other give the same
        turned = np.stack([(codes << t | codes >> (width - t)) & (2**width - 1) for t in range(width)], 1)
        starts = np.flatnonzero(turned.min(1) == codes)
        weight = np.array([len(set(turned[code])) for code in starts], float)
    best = np.full((len(starts), len(codes)), np.inf)
    best[np.arange(len(starts)), starts] = 0.0
    ways = (best == 0).astype(float)
    step = None
    for row in range(height):
        if step is None or not hamiltonian.uniform:
            step = _step(hamiltonian, shape, rows, row)
        best, ways = _product(best, ways, step)
    ends, counts = best[np.arange(len(starts)), starts], ways[np.arange(len(starts)), starts]
    lowest = float(ends.min())
    return lowest / (height * width), float((counts * weight)[ends < lowest + _EQUAL].sum())


def covers(hamiltonian: Hamiltonian, shape: tuple[int, ...]) -> bool:
    """Whether ``ground_states`` is exact for this."""
    if len(shape) != 2 or min(shape) < 2 or not set(hamiltonian.couplings) <= NEAR:
        return False
    if any(np.ndim(value) > 2 for value in (hamiltonian.field, *hamiltonian.couplings.values())):
        return False
    return shape[1] <= (WIDEST if hamiltonian.uniform else WIDEST_DISORDERED)


def _step(hamiltonian: Hamiltonian, shape: tuple[int, int], rows: np.ndarray, row: int) -> np.ndarray:
    """Energy of a row, and of its bonds to the next: (2^L2, 2^L2), this row first."""
    inside = -(np.broadcast_to(hamiltonian.field, shape)[row] * rows).sum(1)
    across = np.zeros((len(rows), rows.shape[1]))  # what each spin of the next row feels
    for (down, right), j in hamiltonian.couplings.items():
        here = np.broadcast_to(j, shape)[row] * rows
        if not down:
            inside = inside - (here * np.roll(rows, -right, 1)).sum(1)
        else:
            across += np.roll(here, right, 1)
    return inside[:, None] - across @ rows.T


def _product(best: np.ndarray, ways: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    new, count = np.empty((len(best), step.shape[1])), np.empty((len(best), step.shape[1]))
    for column in range(step.shape[1]):
        sums = best + step[:, column]
        new[:, column] = sums.min(1)
        count[:, column] = np.where(sums < new[:, column, None] + _EQUAL, ways, 0.0).sum(1)
    return new, count
