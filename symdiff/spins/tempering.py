"""Parallel tempering: heat bath at many temperatures, whose replicas change places."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.heat_bath import HeatBath


class Tempering:
    """Ladders of temperatures, whose neighbors exchange their spins with probability min(1, exp(Δβ ΔE)).

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One for all ladders, or one for each.
    temperatures : sequence of float
        The K temperatures of a ladder, in J/k_B.
    copies : int
        The number of independent ladders.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Raises
    ------
    ValueError
        For a number of Hamiltonians that does not fit the ladders, or a temperature that is not above 0.

    References
    ----------
    Geyer, Markov chain Monte Carlo maximum likelihood (1991). Hukushima and Nemoto, Exchange Monte Carlo method and
    application to spin glass simulations, J. Phys. Soc. Jpn. 65 (1996).
    """

    def __init__(
        self,
        hamiltonian: Hamiltonian,
        temperatures: Sequence[float],
        copies: int,
        generator: torch.Generator | None = None,
    ) -> None:
        self.temperatures = torch.tensor(sorted(temperatures), dtype=torch.float64)
        self.copies, self.generator = copies, generator
        levels = len(self.temperatures)
        if len(hamiltonian) not in (1, copies):
            raise ValueError(f"{copies} ladders need 1 or {copies} Hamiltonians, got {len(hamiltonian)}")
        if len(hamiltonian) > 1:
            hamiltonian = hamiltonian.select(torch.arange(copies).repeat_interleave(levels))
        self._bath = HeatBath(hamiltonian, self.temperatures.repeat(copies), copies * levels, generator)
        self._chain = torch.arange(copies * levels).view(copies, levels)  # which chain is at every temperature
        self._parity = 0
        self.tried, self.taken = torch.zeros(levels - 1), torch.zeros(levels - 1)

    @property
    def spins(self) -> Tensor:
        """The labels at every temperature, (copies, K, N) int64, coldest first."""
        return self._bath.spins[self._chain]

    def energy(self) -> Tensor:
        """Energies per site, (copies, K) float64."""
        return self._bath.energy()[self._chain]

    @property
    def exchanges(self) -> Tensor:
        """The share of exchanges that were taken between neighboring temperatures, (K − 1,)."""
        return self.taken / self.tried.clamp_min(1)

    def sweep(self, count: int = 1) -> None:
        """Alternate sweeps of heat bath with exchanges between every second pair of neighboring temperatures.

        Parameters
        ----------
        count : int
            How many sweeps, each with its exchanges.
        """
        for _ in range(count):
            self._bath.sweep()
            self._exchange()

    def _exchange(self) -> None:
        rungs = torch.arange(self._parity, len(self.temperatures) - 1, 2)
        self._parity = 1 - self._parity
        beta, sites = 1 / self.temperatures, self._bath.hamiltonian.torus.sites
        energy = self.energy() * sites
        gain = (beta[rungs] - beta[rungs + 1]) * (energy[:, rungs] - energy[:, rungs + 1])
        u = torch.rand(gain.shape, generator=self.generator, dtype=torch.float64)
        taken = u < gain.clamp_max(0).exp()
        low, high = self._chain[:, rungs], self._chain[:, rungs + 1]
        self._chain[:, rungs], self._chain[:, rungs + 1] = torch.where(taken, high, low), torch.where(taken, low, high)
        self._bath.beta[self._chain] = beta.float().expand(self.copies, -1)
        self.tried[rungs] += len(taken)
        self.taken[rungs] += taken.sum(0)
