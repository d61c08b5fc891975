"""The transfer matrix, one site at a time: sums and minima over all configurations of a torus, exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian

LARGEST = 3e10
"""Additions that are tried."""
PORTION = 1 << 18


class Algebra(ABC):
    """What is carried from site to site for every state of the frontier, the sites that still have bonds ahead.

    A message is a tuple of tensors: (q, ..., q, S) with one axis for every site of the frontier, or (S,), for S states
    of the first row.
    """

    @abstractmethod
    def one(self, columns: int) -> tuple[Tensor, ...]:
        """Make the message before any site.

        Parameters
        ----------
        columns : int
            S, the number of states of the first row.

        Returns
        -------
        tuple of Tensor, (S,) float64
            The neutral message.
        """

    @abstractmethod
    def absorb(self, message: tuple[Tensor, ...], energy: Tensor) -> tuple[Tensor, ...]:
        """Add a site to the frontier.

        Parameters
        ----------
        message : tuple of Tensor
            The message before.
        energy : Tensor, (q, ..., q, S), in J
            The energy of the new site in every state, last of the axes of the frontier; axes of length 1 broadcast.

        Returns
        -------
        tuple of Tensor
            The message with one more axis, before the last.
        """

    @abstractmethod
    def eliminate(self, message: tuple[Tensor, ...], axis: int) -> tuple[Tensor, ...]:
        """Sum over the states of one site, or minimize.

        Parameters
        ----------
        message : tuple of Tensor
            The message before.
        axis : int
            The axis of the site in the frontier.

        Returns
        -------
        tuple of Tensor
            The message without this axis.
        """

    @abstractmethod
    def weights(self, message: tuple[Tensor, ...]) -> Tensor:
        """Compute how the configurations behind a message are shared among the states of one site.

        Parameters
        ----------
        message : tuple of Tensor
            A message of one site, (q, S).

        Returns
        -------
        Tensor, (q, S)
            Weights of the q states, not normalized.
        """


class Boltzmann(Algebra):
    """Sums of exp(−E/T), with the logarithm of a scale for every column, so that nothing overflows.

    Parameters
    ----------
    temperature : float
        T in J/k_B, above 0.

    Raises
    ------
    ValueError
        For a temperature that is not above 0.
    """

    def __init__(self, temperature: float) -> None:
        if not temperature > 0:
            raise ValueError(f"temperature must be more than 0, got {temperature}")
        self.beta = 1 / temperature

    def one(self, columns: int) -> tuple[Tensor, ...]:
        return torch.ones(columns, dtype=torch.float64), torch.zeros(columns, dtype=torch.float64)

    def absorb(self, message: tuple[Tensor, ...], energy: Tensor) -> tuple[Tensor, ...]:
        value, scale = message
        shift = energy.amin(tuple(range(energy.ndim - 1)))
        value = value[..., None, :] * (-self.beta * (energy - shift)).exp()
        most = value.amax(tuple(range(value.ndim - 1)))
        return value.div_(most), scale + most.log() - self.beta * shift

    def eliminate(self, message: tuple[Tensor, ...], axis: int) -> tuple[Tensor, ...]:
        return message[0].sum(axis), message[1]

    def weights(self, message: tuple[Tensor, ...]) -> Tensor:
        return message[0]

    def log(self, message: tuple[Tensor, ...]) -> Tensor:
        """Compute the logarithms of the sums.

        Parameters
        ----------
        message : tuple of Tensor
            A message without a frontier.

        Returns
        -------
        Tensor, (S,) float64
            ln Σ exp(−E/T) for every state of the first row.
        """
        return message[0].log() + message[1]


class Lowest(Algebra):
    """The lowest energies and how many configurations have them.

    Parameters
    ----------
    tolerance : float
        Energies within it count as equal, in J.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def one(self, columns: int) -> tuple[Tensor, ...]:
        return torch.zeros(columns, dtype=torch.float64), torch.ones(columns, dtype=torch.float64)

    def absorb(self, message: tuple[Tensor, ...], energy: Tensor) -> tuple[Tensor, ...]:
        value = message[0][..., None, :] + energy
        return value, message[1][..., None, :].expand(value.shape)

    def eliminate(self, message: tuple[Tensor, ...], axis: int) -> tuple[Tensor, ...]:
        value, count = message
        least = value.amin(axis, keepdim=True)
        return least.squeeze(axis), (count * (value <= least + self.tolerance)).sum(axis)

    def weights(self, message: tuple[Tensor, ...]) -> Tensor:
        value, count = message
        return count * (value <= value.amin(0) + self.tolerance)


@dataclass(frozen=True)
class Step:
    """One site of a sweep.

    Parameters
    ----------
    site : int
        The site.
    near : tuple of (int, float)
        Its neighbors in the frontier, with J of the bonds.
    fixed : tuple of (int, float)
        Its neighbors in the first row, with J of the bonds.
    leaving : tuple of int
        The sites that leave the frontier after it: all of their bonds are counted.
    """

    site: int
    near: tuple[tuple[int, float], ...]
    fixed: tuple[tuple[int, float], ...]
    leaving: tuple[int, ...]


class Sweep:
    """Adds the sites of one Hamiltonian row by row; the states of the first row are columns, so that the torus closes.

    The rows lie across the longest side. With q states, and F sites in the frontier (L + 1 with nearest neighbors on a
    square of side L) the work is N · q^(L + F).

    Parameters
    ----------
    hamiltonian : Hamiltonian
        A single one.

    Raises
    ------
    ValueError
        Where that is too much work, or for several Hamiltonians.
    """

    def __init__(self, hamiltonian: Hamiltonian) -> None:
        if len(hamiltonian) != 1:
            raise ValueError(f"one Hamiltonian is swept at a time, got {len(hamiltonian)}")
        torus, self.states = hamiltonian.torus, hamiltonian.states
        self.sites, self.interaction, field = torus.sites, hamiltonian.interaction, hamiltonian.field[0]
        axes = sorted(range(len(torus.sides)), key=lambda axis: -torus.sides[axis])
        positions = torus.positions()[:, axes].tolist()
        order = sorted(range(torus.sites), key=lambda site: positions[site])
        rank = {site: k for k, site in enumerate(order)}
        width = torus.sites // torus.sides[axes[0]]
        self.first = order[:width]
        bonds: dict[int, dict[int, float]] = {site: {} for site in order}
        self.single = -field.clone()  # (N, q)
        for i, j, coupling in zip(*(t.reshape(-1).tolist() for t in hamiltonian.bonds()), strict=True):
            if coupling == 0:
                continue
            if i == j:
                self.single[i] -= coupling * self.interaction.diagonal()
                continue
            bonds[i][j] = bonds[i].get(j, 0.0) + coupling
            bonds[j][i] = bonds[j].get(i, 0.0) + coupling
        self.among = [(i, j, c) for i in self.first for j, c in bonds[i].items() if rank[i] < rank[j] < width]
        last = {site: max([rank[site], *(rank[j] for j in bonds[site])]) for site in order}
        self.steps, frontier, work = [], 0, 0.0
        for k, site in enumerate(order[width:], width):
            near = tuple((j, c) for j, c in bonds[site].items() if width <= rank[j] < k)
            fixed = tuple((j, c) for j, c in bonds[site].items() if rank[j] < width)
            leaving = tuple(j for j in order[width : k + 1] if last[j] <= k and (j == site or last[j] == k))
            frontier += 1
            work += float(self.states) ** (width + frontier)
            self.steps.append(Step(site, near, fixed, leaving))
            frontier -= len(leaving)
        self.widest = self._widest()
        if work > LARGEST:
            raise ValueError(
                f"a torus of {' x '.join(map(str, torus.sides))} with these couplings needs {work:.1g} steps, at most "
                f"{LARGEST:.1g} are done"
            )

    def _widest(self) -> int:
        now = most = 0
        for step in self.steps:
            now += 1
            most = max(most, now)
            now -= len(step.leaving)
        return most

    def starts(self) -> Iterator[Tensor]:
        """Make all states of the first row, (width, S) int64, a portion at a time."""
        every = torch.arange(self.states ** len(self.first))
        columns = max(1, PORTION // self.states**self.widest)
        for part in every.split(columns):
            yield torch.stack([part // self.states**k % self.states for k in range(len(self.first))])

    def row_energy(self, start: Tensor) -> Tensor:
        """Compute the energy within the first row.

        Parameters
        ----------
        start : Tensor, (width, S) int64
            States of the first row, as ``starts`` makes them.

        Returns
        -------
        Tensor, (S,) float64
            In J.
        """
        place = {site: k for k, site in enumerate(self.first)}
        alone = (self.single[site][start[k]] for site, k in place.items())
        total = sum(alone, torch.zeros((), dtype=torch.float64))
        for i, j, coupling in self.among:
            total = total - coupling * self.interaction[start[place[i]], start[place[j]]]
        return total

    def run(self, algebra: Algebra, start: Tensor, record: list | None = None) -> tuple[Tensor, ...]:
        """Sum over all sites behind the first row.

        Parameters
        ----------
        algebra : Algebra
            What is summed: ``Boltzmann`` weights, or ``Lowest`` energies.
        start : Tensor, (width, S) int64
            States of the first row.
        record : list, optional
            Gets, for every elimination, the sites of the frontier, the one that leaves, and the message before.

        Returns
        -------
        tuple of Tensor, (S,)
            The last message.
        """
        place = {site: k for k, site in enumerate(self.first)}
        frontier: list[int] = []
        message = algebra.one(start.shape[1])
        for step in self.steps:
            frontier.append(step.site)
            axes, columns = len(frontier), start.shape[1]
            energy = self.single[step.site].view(*[1] * (axes - 1), -1, 1)
            for other, coupling in step.near:
                shape = [1] * (axes + 1)
                shape[frontier.index(other)] = shape[axes - 1] = self.states
                energy = energy - coupling * self.interaction.view(shape)
            for other, coupling in step.fixed:
                energy = energy - coupling * self.interaction[:, start[place[other]]].view(
                    *[1] * (axes - 1), -1, columns
                )
            message = algebra.absorb(message, energy)
            for other in step.leaving:
                if record is not None:
                    record.append((tuple(frontier), other, message))
                message = algebra.eliminate(message, frontier.index(other))
                frontier.remove(other)
        return message

    def draw(self, algebra: Algebra, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw one configuration for every column, by going back from site to site.

        Parameters
        ----------
        algebra : Algebra
            ``Boltzmann`` for the Boltzmann distribution, ``Lowest`` for uniform ground states.
        start : Tensor, (width, S) int64
            States of the first row.
        generator : torch.Generator, optional
            The source of randomness.

        Returns
        -------
        Tensor, (S, N) int64
            The configurations, which begin with ``start``.
        """
        spins = torch.zeros(start.shape[1], self.sites, dtype=torch.int64)
        spins[:, self.first] = start.T
        size = max(1, PORTION // self.states**self.widest)
        for part in torch.arange(start.shape[1]).split(size):
            record: list = []
            self.run(algebra, start[:, part], record)
            columns = torch.arange(len(part))
            for frontier, site, message in reversed(record):
                index = [
                    torch.arange(self.states)[:, None] if other == site else spins[part, other] for other in frontier
                ]
                weights = algebra.weights(tuple(t[(*index, columns)] if t.ndim > 1 else t for t in message))
                heap = weights.cumsum(0)
                u = torch.rand(len(part), generator=generator, dtype=torch.float64) * heap[-1]
                spins[part, site] = (heap <= u).sum(0).clamp_max(self.states - 1)
        return spins
