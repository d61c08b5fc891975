"""Exact values of Ising spins on a narrow torus with translation-invariant couplings, by the transfer matrix.

Rows of L2 spins are the matrix's states; those that translations along the row carry to each other are gathered into
necklaces, so that the matrix of 2^L2 rows falls into L2 blocks, one a momentum, of about 2^L2 / L2 rows each.
Source of the method: Kramers and Wannier, Statistics of the two-dimensional ferromagnet, Phys. Rev. 60 (1941).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from symdiff.spins.hamiltonian import Hamiltonian, interaction

_WIDEST = 10
_STEP = 2e-3  # of the inverse temperature, for the specific heat
_NEAR = frozenset({(1, 0), (0, 1), (1, 1), (1, -1)})


@dataclass(frozen=True)
class TransferMatrix:
    """The transfer matrix of Ising spins on a narrow torus with the same couplings everywhere.

    The torus is L1 x L2, L2 at most 10; couplings are those along (1, 0), (0, 1), (1, 1) and (1, -1).

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One, with couplings and a field that are alike on all sites.
    temperature : float
        In J/k_B, above 0.
    turned : bool
        Whether the axes are exchanged, so that a torus may be narrow along its first axis: L1 is then the second side.

    Raises
    ------
    ValueError
        For other couplings and shapes: what is exact elsewhere is not approximated here.
    """

    hamiltonian: Hamiltonian
    temperature: float
    turned: bool = False

    def __post_init__(self) -> None:
        if not covers(self.hamiltonian, self.turned):
            raise ValueError(
                f"the transfer matrix needs a torus at most {_WIDEST} wide and uniform couplings to near neighbors, "
                f"got {self.shape}"
            )
        if not self.temperature > 0:
            raise ValueError(f"expected a temperature above 0, got {self.temperature}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The sides, that of the rows last."""
        return self.hamiltonian.torus.sides[:: -1 if self.turned else 1]

    @property
    def log_z(self) -> float:
        """ln of the partition function (of all sites)."""
        return self._at(1 / self.temperature)[0]

    @property
    def energy(self) -> float:
        """Mean energy per site in J."""
        return self._at(1 / self.temperature)[1]

    @property
    def specific_heat(self) -> float:
        """Per site, in k_B: -beta^2 de/dbeta by a central difference of fourth order (error below 1e-8)."""
        beta = 1 / self.temperature
        step = _STEP * min(beta, 1.0)
        near = [self._at(beta + k * step)[1] for k in (-2, -1, 1, 2)]
        return -(beta**2) * (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * step)

    @cached_property
    def magnetizations(self) -> tuple[np.ndarray, np.ndarray]:
        """The exact distribution of the magnetization per site: values (N + 1,) and probabilities (N + 1,)."""
        sites, sums = math.prod(self.shape), self._rows.sum(1)
        blocks, scale = self._blocks(1 / self.temperature)
        weights = np.empty(sites + 1, complex)
        for k in range(sites // 2 + 1):  # the others are complex conjugates
            tilt = np.exp(1j * math.pi * k / (sites + 1) * sums)
            parts = [
                np.trace(np.linalg.matrix_power(tilt[rows, None] * block, self.shape[0])) for rows, block, _ in blocks
            ]
            weights[k] = sum(parts) * math.exp(self.shape[0] * scale - self.log_z)
        for k in range(sites // 2 + 1, sites + 1):
            # sum over M of P(M) exp(i pi k M / (N + 1)), M of the parity of N: k -> N + 1 - k conjugates up to (-1)^N
            weights[k] = weights[sites + 1 - k].conj() * (-1) ** sites
        twist = np.exp(1j * math.pi * np.arange(sites + 1) * sites / (sites + 1))
        probabilities = np.fft.fft(weights * twist).real / (sites + 1)
        return (2 * np.arange(sites + 1) - sites) / sites, np.clip(probabilities, 0, None)

    @property
    def abs_magnetization(self) -> float:
        """Mean |m| per site."""
        values, probabilities = self.magnetizations
        return float((np.abs(values) * probabilities).sum())

    @property
    def binder(self) -> float:
        """1 - <m^4> / (3 <m^2>^2)."""
        values, probabilities = self.magnetizations
        return float(1 - (values**4 * probabilities).sum() / (3 * (values**2 * probabilities).sum() ** 2))

    @cached_property
    def row_correlation(self) -> np.ndarray:
        """<s(r) s(r + t)> along a row, the second axis, for t = 0 .. L2/2: (L2 // 2 + 1,)."""
        rows, width = self._rows, self.shape[1]
        total = np.zeros(width // 2 + 1)
        products = np.stack([(rows * np.roll(rows, t, 1)).mean(1) for t in range(width // 2 + 1)])
        blocks, scale = self._blocks(1 / self.temperature)
        for members, block, _ in blocks:
            diagonal = np.real(np.diag(np.linalg.matrix_power(block, self.shape[0])))
            total += (products[:, members] * diagonal).sum(1) * math.exp(scale * self.shape[0] - self.log_z)
        return total

    def _at(self, beta: float) -> tuple[float, float]:
        """ln Z and the mean energy per site."""
        height = self.shape[0]
        trace, slope = 0.0, 0.0
        blocks, scale = self._blocks(beta)
        for _, block, derivative in blocks:
            most = np.linalg.matrix_power(block, height - 1)
            trace += np.trace(most @ block).real
            slope += height * np.vdot(most.conj().T, derivative).real
        return math.log(trace) + height * scale, -slope / trace / math.prod(self.shape)

    def _blocks(self, beta: float) -> tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], float]:
        """The necklaces, T and dT/dbeta of each momentum, T divided by its largest eigenvalue, and the logarithm of
        that."""
        members, periods, inside, between = self._necklaces
        width, blocks = self.shape[1], []
        energy = between + inside[:, None, None]
        weight = np.exp(-beta * (energy - energy.min()))
        # a necklace's state is the sum of its L2 translates, each counted L2/period times
        norm = np.sqrt(periods[:, None] * periods[None, :]) / width
        for momentum in range(width):
            allowed = np.flatnonzero(momentum * periods % width == 0)
            turn = np.exp(-2j * math.pi * momentum * np.arange(width) / width)
            block = ((weight @ turn) * norm)[np.ix_(allowed, allowed)]
            slope = (((weight * -energy) @ turn) * norm)[np.ix_(allowed, allowed)]
            blocks.append((members[allowed], block, slope))
        top = float(np.abs(np.linalg.eigvals(blocks[0][1])).max())  # positive entries: no other block has a larger one
        return [(rows, block / top, slope / top) for rows, block, slope in blocks], math.log(top) - beta * energy.min()

    @cached_property
    def _rows(self) -> np.ndarray:
        width = self.shape[1]
        return 1 - 2 * ((np.arange(2**width)[:, None] >> np.arange(width)) & 1)

    @cached_property
    def _necklaces(self) -> tuple[np.ndarray, ...]:
        """Smallest row of each necklace, its period, the energy inside it, and that between any two.

        The last: (n, n, L2), the second row translated by the last index.
        """
        width, rows = self.shape[1], self._rows
        codes = np.arange(2**width)
        turned = np.stack([(codes << t | codes >> (width - t)) & (2**width - 1) for t in range(width)], 1)
        members = np.flatnonzero(turned.min(1) == codes)
        periods = np.array([len(set(turned[m])) for m in members])
        j, field = _couplings(self.hamiltonian, self.turned), float(self.hamiltonian.field[0, 0, 0])
        here = rows[members]
        inside = -j.get((0, 1), 0.0) * (here * np.roll(here, -1, 1)).sum(1) - field * here.sum(1)
        there = rows[turned[members]]  # (n, L2, L2)
        between = -j.get((1, 0), 0.0) * np.einsum("ai,bti->abt", here, there)
        between -= j.get((1, 1), 0.0) * np.einsum("ai,bti->abt", here, np.roll(there, -1, 2))
        between -= j.get((1, -1), 0.0) * np.einsum("ai,bti->abt", here, np.roll(there, 1, 2))
        return members, periods, inside, between


def covers(hamiltonian: Hamiltonian, turned: bool = False) -> bool:
    """Tell whether ``TransferMatrix`` is exact for a Hamiltonian.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        The Hamiltonian.
    turned : bool
        Whether the axes are exchanged.

    Returns
    -------
    bool
        Whether it is Ising, uniform, coupled to near neighbors alone, on a torus that is narrow enough.
    """
    sides = hamiltonian.torus.sides
    if len(sides) != 2 or min(sides) < 2 or sides[0 if turned else 1] > _WIDEST:
        return False
    return (
        torch.equal(hamiltonian.interaction, interaction("ising"))
        and hamiltonian.is_uniform
        and _couplings(hamiltonian).keys() <= _NEAR
    )


def _couplings(hamiltonian: Hamiltonian, turned: bool = False) -> dict[tuple[int, ...], float]:
    """J by direction, of each bond once: along the direction whose first step that is not zero goes ahead."""
    values = zip(map(tuple, hamiltonian.star.tolist()), hamiltonian.coupling[0, 0].tolist(), strict=True)
    couplings = {direction: value for direction, value in values if direction > (0, 0)}
    if turned:  # (1, -1) becomes (-1, 1): the same bonds
        return {(d[1], d[0]) if d != (1, -1) else d: value for d, value in couplings.items()}
    return couplings
