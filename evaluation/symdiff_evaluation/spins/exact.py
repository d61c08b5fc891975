"""Exact values to compare with: of the torus itself, of the infinite lattice, and of the ground states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from symdiff_evaluation.spins.hamiltonian import Hamiltonian
from symdiff_evaluation.spins.spins import Spins
from symdiff_evaluation.spins.square import specific_heat
from symdiff_evaluation.spins.torus import Torus, covers

_LARGEST = 100  # sites whose ground states are counted: seconds
_STEP = 1e-3


@dataclass(frozen=True)
class Exact:
    """Per site, in J and k_B; None where no exact value is known. ``two_point``: along the axis ``axis``, for t = 0, 1, ..."""

    method: str
    energy: float | None = None
    specific_heat: float | None = None
    abs_magnetization: float | None = None
    binder: float | None = None
    two_point: np.ndarray | None = None
    axis: int = 1


def of_torus(part: Spins) -> Exact | None:
    """The values of the part's own torus at its temperature: by the transfer matrix, else (J alone, any size) by Kaufman's formula."""
    temperature = part.temperature
    if temperature is None or math.isnan(temperature):
        return None
    for axis in (1, 0):
        if len(part.shape) == 2 and covers(turned := _turned(part.hamiltonian, axis), part.shape[:: 1 if axis else -1]):
            torus = Torus(turned, part.shape[:: 1 if axis else -1], temperature)
            heat, m = torus.specific_heat, torus.abs_magnetization
            return Exact("transfer matrix", torus.energy, heat, m, torus.binder, torus.row_correlation, axis)
    j = _plain_square(part)
    if j is None or (j < 0 and any(side % 2 for side in part.shape)):
        return None
    from symdiff.domains.spins.onsager import kaufman_energy

    scale, beta = abs(j), abs(j) / temperature
    energies = [kaufman_energy(*part.shape, 1 / (beta * (1 + k * _STEP))) for k in (-2, -1, 1, 2)]
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * _STEP * beta)
    return Exact("Kaufman", scale * kaufman_energy(*part.shape, 1 / beta), -(beta**2) * slope)


def of_infinite(part: Spins) -> Exact | None:
    """The values of the infinite square lattice: Onsager's energy and specific heat, Yang's magnetization (for J > 0)."""
    temperature, j = part.temperature, _plain_square(part)
    if temperature is None or math.isnan(temperature) or j is None:
        return None
    from symdiff.domains.spins.onsager import onsager_energy, yang_magnetization

    reduced = temperature / abs(j)
    heat = specific_heat(reduced)
    m = yang_magnetization(reduced) if j > 0 else None
    return Exact("Onsager and Yang", abs(j) * onsager_energy(reduced), heat if math.isfinite(heat) else None, m)


def ground(part: Spins) -> tuple[float, float] | None:
    """Lowest energy per site and number of ground states (exact below 2^53), None beyond 100 sites and for far couplings."""
    if math.prod(part.shape) > _LARGEST or any(np.ndim(v) > len(part.shape) for v in part.hamiltonian.couplings.values()):
        return None
    key = (part.lattice, part.shape, _frozen(part.hamiltonian.field), tuple((d, _frozen(j)) for d, j in part.hamiltonian.couplings.items()))
    return _ground(*key)


@lru_cache(maxsize=4096)
def _ground(kind: str, shape: tuple[int, ...], field: tuple, couplings: tuple) -> tuple[float, float] | None:
    import torch

    from symdiff.domains.spins.exact import ground_states
    from symdiff.domains.spins.hamiltonian import Hamiltonian as Torch
    from symdiff.domains.spins.hamiltonian import half, interaction, ising_field
    from symdiff.groups.torus import torus

    piece, left = torus(kind, shape), dict(couplings)
    bonds = []
    for shell in range(1, len(piece.lattice.shells) + 1):
        directions = len(piece.lattice.directions(shell))
        bonds = [tuple(d) for d in piece.lattice.star(directions)[half(piece, directions)].tolist()]
        if set(left) <= {d for bond in bonds for d in (bond, tuple(-step for step in bond))}:
            break
    else:
        return None
    rows = []
    for bond in bonds:
        opposite = tuple(-step for step in bond)
        value = _thawed(left[bond], shape) if bond in left else np.zeros(shape)
        if opposite in left:  # written at the other end
            value = np.roll(_thawed(left[opposite], shape), opposite, range(len(shape)))
        rows.append(value.ravel())
    sites = ising_field(torch.from_numpy(np.ascontiguousarray(_thawed(field, shape))).reshape(-1))
    try:
        found = ground_states(Torch.make(piece, interaction("ising"), torch.from_numpy(np.stack(rows, -1)), sites))
    except ValueError:
        return None  # more work than is done for an exact value
    return float(found.energy[0]), float(found.count[0])


def _plain_square(part: Spins) -> float | None:
    """J of a square lattice without a field whose only coupling is J between nearest neighbors."""
    h = part.hamiltonian
    bonds = {d: j for d, j in h.couplings.items() if np.any(j)}
    if part.lattice != "square" or not h.uniform or h.field or set(bonds) != {(1, 0), (0, 1)} or bonds[1, 0] != bonds[0, 1]:
        return None
    return float(bonds[1, 0])


def _turned(hamiltonian: Hamiltonian, axis: int) -> Hamiltonian:
    """The same with its axes exchanged if ``axis`` is 0."""
    if axis or not hamiltonian.uniform:
        return hamiltonian
    # (1, -1) exchanged is (-1, 1): the same bonds
    turned = {(d[1], d[0]) if d != (1, -1) else d: j for d, j in hamiltonian.couplings.items()}
    return Hamiltonian(turned, hamiltonian.field)


def _frozen(value: float | np.ndarray) -> tuple:
    return tuple(np.asarray(value, np.float64).ravel().tolist())


def _thawed(value: tuple, shape: tuple[int, ...]) -> np.ndarray:
    return np.array(value).reshape(shape) if len(value) > 1 else np.full(shape, value[0])
