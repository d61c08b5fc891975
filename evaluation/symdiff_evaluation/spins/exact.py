"""Exact values to compare with: of the torus itself, of the infinite lattice, and of the ground states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from symdiff_evaluation.spins.hamiltonian import Hamiltonian, thawed
from symdiff_evaluation.spins.label_exact import LARGEST, lowest, thermal
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.square import specific_heat
from symdiff_evaluation.spins.torus import Torus, covers

if TYPE_CHECKING:
    from symdiff.spins.hamiltonian import Hamiltonian as Model

EQUAL = 1e-6
"""Energies per site that differ by less are one: couplings are of single precision."""
_LARGEST = 100  # sites whose ground states are counted: seconds
_LARGEST_CUT = 1 << 14
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


@dataclass(frozen=True)
class Ground:
    """``energy`` per site in J, and how many configurations have it (exact below 2^53), None where that is not known."""

    energy: float
    count: float | None


def of_torus(part: Spins) -> Exact | None:
    """The values of the part's own torus at its temperature: by the transfer matrix, else (J alone, any size) by Kaufman's formula."""
    temperature = part.temperature
    if temperature is None or math.isnan(temperature):
        return None
    if not part.ising:
        return _of_labels(*_key(part), temperature) if math.prod(part.shape) <= LARGEST else None
    for axis in (1, 0):
        if len(part.shape) == 2 and covers(turned := _turned(part.hamiltonian, axis), part.shape[:: 1 if axis else -1]):
            torus = Torus(turned, part.shape[:: 1 if axis else -1], temperature)
            heat, m = torus.specific_heat, torus.abs_magnetization
            return Exact("transfer matrix", torus.energy, heat, m, torus.binder, torus.row_correlation, axis)
    j = _plain_square(part)
    if j is None or (j < 0 and any(side % 2 for side in part.shape)):
        return None
    from symdiff.spins.onsager import kaufman_energy

    scale, beta = abs(j), abs(j) / temperature
    energies = [kaufman_energy(*part.shape, 1 / (beta * (1 + k * _STEP))) for k in (-2, -1, 1, 2)]
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * _STEP * beta)
    return Exact("Kaufman", scale * kaufman_energy(*part.shape, 1 / beta), -(beta**2) * slope)


def of_infinite(part: Spins) -> Exact | None:
    """The values of the infinite square lattice: Onsager's energy and specific heat, Yang's magnetization (for J > 0)."""
    temperature, j = part.temperature, _plain_square(part)
    if temperature is None or math.isnan(temperature) or j is None:
        return None
    from symdiff.spins.onsager import onsager_energy, yang_magnetization

    reduced = temperature / abs(j)
    heat = specific_heat(reduced)
    m = yang_magnetization(reduced) if j > 0 else None
    return Exact("Onsager and Yang", abs(j) * onsager_energy(reduced), heat if math.isfinite(heat) else None, m)


def ground(part: Spins) -> Ground | None:
    """Of the part's couplings and field: by the transfer matrix on up to 100 sites, else, for ferromagnets in any field, by a minimum cut.

    Of labels: ``label_exact.lowest``.

    None where neither is done, and where a cut's rounding leaves more than ``EQUAL`` open.
    """
    if math.prod(part.shape) > _LARGEST_CUT or any(np.ndim(v) > len(part.shape) for v in part.hamiltonian.couplings.values()):
        return None
    return _ground(*_key(part))


@lru_cache(maxsize=64)
def _of_labels(kind: str, shape: tuple[int, ...], frozen: tuple, name: str, states: int, temperature: float) -> Exact | None:
    model = _model(kind, shape, thawed(frozen), name, states)
    found = None if model is None else thermal(model, temperature)
    return None if found is None else Exact("transfer matrix", *found)


@lru_cache(maxsize=64)
def _ground(kind: str, shape: tuple[int, ...], frozen: tuple, name: str, states: int) -> Ground | None:
    from symdiff.spins.exact import ground_states
    from symdiff.spins.max_flow import ground_states_in_fields

    model = _model(kind, shape, thawed(frozen), name, states)
    if model is None:
        return None
    if name != "ising":
        known = lowest(model)
        return None if known is None else Ground(*known)
    if math.prod(shape) <= _LARGEST:
        try:
            found = ground_states(model)
            return Ground(float(found.energy[0]), float(found.count[0]))
        except ValueError:
            pass  # more work than is done: a cut takes none
    if bool((model.coupling < 0).any()):
        return None
    cut = ground_states_in_fields(model)
    return Ground(float(cut.energy[0]), 1.0 if bool(cut.unique[0]) else None) if float(cut.resolution[0]) <= EQUAL else None


def _key(part: Spins) -> tuple:
    """What exact values depend on besides the temperature."""
    return part.lattice, part.shape, part.hamiltonian.frozen, part.model, part.states


def _model(kind: str, shape: tuple[int, ...], hamiltonian: Hamiltonian, name: str, states: int) -> Model | None:
    """The same couplings and field on the package's torus, None where couplings reach beyond the next-nearest neighbors."""
    import torch

    from symdiff.groups.torus import torus
    from symdiff.spins.hamiltonian import Hamiltonian as Model
    from symdiff.spins.hamiltonian import half, interaction, ising_field

    piece, left = torus(kind, shape), hamiltonian.couplings
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
        value = np.broadcast_to(left.get(bond, 0.0), shape)
        if opposite in left:  # written at the other end
            value = np.roll(np.broadcast_to(left[opposite], shape), opposite, range(len(shape)))
        rows.append(value.ravel())
    field = torch.zeros(states, dtype=torch.float64)  # labels are evaluated without one
    if name == "ising":
        field = ising_field(torch.from_numpy(np.array(np.broadcast_to(hamiltonian.field, shape), np.float64)).reshape(-1))
    return Model.make(piece, interaction(name, states), torch.from_numpy(np.stack(rows, -1)), field)


def _plain_square(part: Spins) -> float | None:
    """J of a square lattice without a field whose only coupling is J between nearest neighbors."""
    h = part.hamiltonian
    if not part.ising:
        return None
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
