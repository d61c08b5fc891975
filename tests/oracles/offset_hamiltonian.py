"""The energy of Ising spins written a second time, from couplings along offsets and shifts of arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from symdiff.groups.torus import torus
from symdiff.spins.hamiltonian import Hamiltonian, interaction, ising_field

KINDS = {1: "chain", 2: "square", 3: "cubic"}


@dataclass(frozen=True)
class OffsetHamiltonian:
    """H(s) = - sum over offsets d and sites r of J_d(r) s(r) s(r + d), minus the sum over r of h(r) s(r).

    ``couplings[d]`` is J_d and ``field`` is h: numbers, or arrays that broadcast against spins (count, L1, ..., Ld), so
    one number a sample has the shape (count, 1, ..., 1) and one a site (L1, ..., Ld). An offset stands for one bond a
    site.
    """

    couplings: Mapping[tuple[int, ...], float | np.ndarray]
    field: float | np.ndarray = 0.0

    def energy(self, spins: np.ndarray) -> np.ndarray:
        """Energy per site of spins (count, L1, ..., Ld) in {-1, +1}: (count,) float64."""
        axes = tuple(range(1, spins.ndim))
        local = self.field * spins
        for offset, coupling in self.couplings.items():
            local = local + coupling * (spins * shifted(spins, offset))
        return -np.broadcast_to(local, spins.shape).mean(axes, dtype=np.float64)

    def unsatisfied(self, spins: np.ndarray) -> np.ndarray:
        """Share of the bonds with J s s' < 0 among those with J != 0: (count,) float64."""
        products = [np.sign(j) * spins * shifted(spins, offset) for offset, j in self.couplings.items()]
        return np.sum([(one < 0).sum(tuple(range(1, spins.ndim))) for one in products], 0) / np.sum(
            [(np.broadcast_to(one, spins.shape) != 0).sum(tuple(range(1, spins.ndim))) for one in products], 0
        )

    def on(self, *shape: int, kind: str | None = None) -> Hamiltonian:
        """The same as the package has it, on a torus."""
        piece, sites = torus(kind or KINDS[len(shape)], shape), math.prod(shape)
        values = [np.asarray(value, float) for value in (self.field, *self.couplings.values())]
        count = max(len(value) if value.ndim > len(shape) else 1 for value in values)
        field, *couplings = (
            torch.from_numpy(np.array(np.broadcast_to(value, (count, *shape))).reshape(count, sites))
            for value in values
        )
        along = torch.tensor(list(self.couplings))
        return Hamiltonian.make(piece, interaction("ising"), torch.stack(couplings, -1), ising_field(field), along)


def shifted(spins: np.ndarray, offset: tuple[int, ...]) -> np.ndarray:
    """The spins at r + offset, written at r."""
    return np.roll(spins, [-step for step in offset], tuple(range(spins.ndim - len(offset), spins.ndim)))


def moved(array: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """An array over a torus (L1, ..., Ld) carried by n -> matrix n."""
    found = np.empty_like(array)
    for site in np.ndindex(array.shape):
        found[tuple(matrix @ site % array.shape)] = array[site]
    return found


def nearest(dimension: int, j: float | tuple[float, ...] = 1.0, field: float = 0.0) -> OffsetHamiltonian:
    """The Ising model on the (hyper)cubic lattice; ``j``: one number, or one a direction."""
    along = (j,) * dimension if np.ndim(j) == 0 else tuple(j)
    return OffsetHamiltonian({tuple(int(a == b) for b in range(dimension)): along[a] for a in range(dimension)}, field)


def j1j2(j1: float = 1.0, j2: float = 0.0, field: float = 0.0) -> OffsetHamiltonian:
    """The square lattice with nearest (J1) and diagonal (J2) neighbors."""
    return OffsetHamiltonian({(1, 0): j1, (0, 1): j1, (1, 1): j2, (1, -1): j2}, field)
