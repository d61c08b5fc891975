"""The energy of spins on a periodic lattice: couplings along offsets, and a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Offset = tuple[int, ...]


@dataclass(frozen=True)
class Hamiltonian:
    """H(s) = - sum over offsets d and sites r of J_d(r) s(r) s(r + d), minus the sum over r of h(r) s(r).

    Sites are periodic in every direction. ``couplings[d]`` is J_d and ``field`` is h: numbers, or arrays that broadcast
    against spins (count, L1, ..., Ld), so one number a sample has the shape (count, 1, ..., 1) and one a site (L1, ..., Ld).
    An offset stands for one bond a site, so never name both d and -d; a positive coupling is ferromagnetic. Energies are in units
    of J, temperatures in J/k_B.
    """

    couplings: Mapping[Offset, float | np.ndarray]
    field: float | np.ndarray = 0.0

    def __post_init__(self) -> None:
        for offset in self.couplings:
            if tuple(-step for step in offset) in self.couplings:
                raise ValueError(f"couplings: the offsets {offset} and its opposite are the same bonds; name one of them")
        for name, value in [("field", self.field), *((f"coupling {d}", j) for d, j in self.couplings.items())]:
            if not np.isfinite(value).all():
                raise ValueError(f"{name}: expected finite numbers, got {value}")

    def energy(self, spins: np.ndarray) -> np.ndarray:
        """Energy per site of spins (count, L1, ..., Ld) in {-1, +1}: (count,) float64."""
        axes = tuple(range(1, spins.ndim))
        local = self.field * spins
        for offset, coupling in self.couplings.items():
            local = local + coupling * (spins * shifted(spins, offset))
        return -np.broadcast_to(local, spins.shape).mean(axes, dtype=np.float64)

    def unsatisfied(self, spins: np.ndarray) -> np.ndarray:
        """Share of the bonds with J s s' < 0 among those with J != 0: (count,) float64, nan where there is none."""
        axes = tuple(range(1, spins.ndim))
        wrong, bonds = np.zeros(len(spins)), np.zeros(len(spins))
        for offset, coupling in self.couplings.items():
            sign = np.broadcast_to(np.sign(coupling), spins.shape)
            wrong += (sign * (spins * shifted(spins, offset)) < 0).sum(axes)
            bonds += (sign != 0).sum(axes)
        return np.divide(wrong, bonds, out=np.full(len(spins), np.nan), where=bonds > 0)

    @property
    def frozen(self) -> tuple:
        """All of it as something that can be a key; ``thawed`` takes it back."""
        terms = [(None, self.field), *self.couplings.items()]
        return tuple((offset, np.shape(value), np.asarray(value, np.float64).tobytes()) for offset, value in terms)

    @property
    def uniform(self) -> bool:
        """Whether one number stands for each coupling and for the field."""
        return all(np.ndim(value) == 0 for value in (self.field, *self.couplings.values()))


def thawed(frozen: tuple) -> Hamiltonian:
    """What ``Hamiltonian.frozen`` was of."""
    values = {offset: np.frombuffer(body).reshape(shape) for offset, shape, body in frozen}
    return Hamiltonian({offset: value for offset, value in values.items() if offset is not None}, values[None])


def nearest(dimension: int, j: float | tuple[float, ...] = 1.0, field: float = 0.0) -> Hamiltonian:
    """The Ising model on the (hyper)cubic lattice; ``j``: one number, or one a direction."""
    along = (j,) * dimension if np.ndim(j) == 0 else tuple(j)
    if len(along) != dimension:
        raise ValueError(f"j: expected one number or {dimension}, got {len(along)}")
    return Hamiltonian({tuple(int(a == b) for b in range(dimension)): along[a] for a in range(dimension)}, field)


def j1j2(j1: float = 1.0, j2: float = 0.0, field: float = 0.0) -> Hamiltonian:
    """The square lattice with nearest (J1) and diagonal (J2) neighbors."""
    return Hamiltonian({(1, 0): j1, (0, 1): j1, (1, 1): j2, (1, -1): j2}, field)


def shifted(spins: np.ndarray, offset: Offset) -> np.ndarray:
    """The spins at r + offset, written at r: same shape (count, L1, ..., Ld)."""
    return np.roll(spins, [-step for step in offset], tuple(range(spins.ndim - len(offset), spins.ndim)))
