"""Exact values to compare with: of the torus itself, of the infinite lattice, and of the ground states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from symdiff.spins.exact import ground_states
from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.max_flow import ground_states_in_fields
from symdiff.spins.onsager import kaufman_energy, onsager_energy, onsager_specific_heat, yang_magnetization
from symdiff.spins.transfer_matrix import TransferMatrix, covers
from symdiff_evaluation.spins.bonds import list_couplings
from symdiff_evaluation.spins.label_exact import LARGEST, find_lowest, find_thermal_values
from symdiff_evaluation.spins.samples import Spins

EQUAL = 1e-6
"""Energies per site that differ by less are one: couplings are of single precision."""
_LARGEST = 100  # sites whose ground states are counted: seconds
_LARGEST_CUT = 1 << 14
_STEP = 1e-3


@dataclass(frozen=True)
class Exact:
    """Exact values per site, in J and k_B; None where one is not known.

    Parameters
    ----------
    method : str
        Where they come from.
    energy : float, optional
        In J.
    specific_heat : float, optional
        In k_B.
    abs_magnetization : float, optional
        Mean |m|.
    binder : float, optional
        Binder cumulant of the magnetization.
    two_point : numpy.ndarray, optional
        Two-point function along an axis, for t = 0, 1, ...
    axis : int
        That axis.
    """

    method: str
    energy: float | None = None
    specific_heat: float | None = None
    abs_magnetization: float | None = None
    binder: float | None = None
    two_point: np.ndarray | None = None
    axis: int = 1


@dataclass(frozen=True)
class GroundLevel:
    """The lowest energy of a Hamiltonian.

    Parameters
    ----------
    energy : float
        Per site, in J.
    count : float or None
        Number of configurations that have it (exact below 2^53); None where that is not known.
    """

    energy: float
    count: float | None


def find_torus_values(part: Spins) -> Exact | None:
    """Find the exact values of a torus at its temperature: by the transfer matrix, else (J alone, any size) by
    Kaufman's formula.

    Parameters
    ----------
    part : Spins
        Of one Hamiltonian and one temperature.

    Returns
    -------
    Exact or None
        None where neither is possible.
    """
    temperature = part.temperature
    if temperature is None or math.isnan(temperature):
        return None
    if not part.is_ising:
        return (
            _of_labels(part.hamiltonian, temperature)
            if math.prod(part.shape) <= LARGEST and part.hamiltonian.along is None
            else None
        )
    for axis in (1, 0):
        if covers(part.hamiltonian, turned=axis == 0):
            exact = TransferMatrix(part.hamiltonian, temperature, turned=axis == 0)
            heat, m = exact.specific_heat, exact.abs_magnetization
            return Exact("transfer matrix", exact.energy, heat, m, exact.binder, exact.row_correlation, axis)
    j = _plain_square(part)
    if j is None or (j < 0 and any(side % 2 for side in part.shape)):
        return None
    scale, beta = abs(j), abs(j) / temperature
    rows, columns = part.shape
    energies = [kaufman_energy(rows, columns, 1 / (beta * (1 + k * _STEP))) for k in (-2, -1, 1, 2)]
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * _STEP * beta)
    return Exact("Kaufman", scale * kaufman_energy(rows, columns, 1 / beta), -(beta**2) * slope)


def find_infinite_values(part: Spins) -> Exact | None:
    """Find the exact values of the infinite square lattice: Onsager's energy and specific heat, Yang's magnetization
    (for J > 0).

    Parameters
    ----------
    part : Spins
        Of one Hamiltonian and one temperature.

    Returns
    -------
    Exact or None
        None for another lattice, couplings that differ, and a field.
    """
    temperature, j = part.temperature, _plain_square(part)
    if temperature is None or math.isnan(temperature) or j is None:
        return None
    reduced = temperature / abs(j)
    heat = onsager_specific_heat(reduced)
    m = yang_magnetization(reduced) if j > 0 else None
    return Exact("Onsager and Yang", abs(j) * onsager_energy(reduced), heat if math.isfinite(heat) else None, m)


def find_ground_level(part: Spins) -> GroundLevel | None:
    """Find the lowest energy of couplings and field.

    By the transfer matrix on up to 100 sites, else, for ferromagnets in any field, by a minimum cut; of Potts and clock
    spins by ``label_exact.find_lowest``.

    Parameters
    ----------
    part : Spins
        Of one Hamiltonian.

    Returns
    -------
    GroundLevel or None
        None where neither is possible, and where a cut's rounding leaves more than ``EQUAL`` open.
    """
    if math.prod(part.shape) > _LARGEST_CUT or len(part.hamiltonian) > 1 or part.hamiltonian.along is not None:
        return None
    return _ground(part.hamiltonian, part.is_ising)


@lru_cache(maxsize=64)
def _of_labels(hamiltonian: Hamiltonian, temperature: float) -> Exact | None:
    values = find_thermal_values(hamiltonian, temperature)
    return None if values is None else Exact("transfer matrix", *values)


@lru_cache(maxsize=64)
def _ground(hamiltonian: Hamiltonian, ising: bool) -> GroundLevel | None:
    if not ising:
        known = find_lowest(hamiltonian)
        return None if known is None else GroundLevel(*known)
    if hamiltonian.torus.sites <= _LARGEST:
        try:
            exact = ground_states(hamiltonian)
            return GroundLevel(float(exact.energy[0]), float(exact.count[0]))
        except ValueError:
            pass  # more work than is done: a cut takes none
    if bool((hamiltonian.coupling < 0).any()):
        return None
    cut = ground_states_in_fields(hamiltonian)
    return (
        GroundLevel(float(cut.energy[0]), 1.0 if bool(cut.unique[0]) else None)
        if float(cut.resolution[0]) <= EQUAL
        else None
    )


def _plain_square(part: Spins) -> float | None:
    """J of a square lattice without a field whose only coupling is J between nearest neighbors."""
    h = part.hamiltonian
    if not part.is_ising or part.lattice != "square" or not h.is_uniform or h.has_field:
        return None
    bonds = {offset: float(j.flat[0]) for offset, j in list_couplings(h) if np.any(j)}
    if set(bonds) != {(1, 0), (0, 1)} or bonds[1, 0] != bonds[0, 1]:
        return None
    return bonds[1, 0]
