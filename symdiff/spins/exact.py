"""Exact values and exact samples on small tori, for any couplings and fields: square lattices up to a side of 10."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.layers import has_four_layers, log_partition_of_layers
from symdiff.spins.transfer import Algebra, Boltzmann, Lowest, Sweep

EQUAL = 1e-10
"""Energies that differ by less than this share of the sum of all couplings and fields are one level."""


@dataclass(frozen=True)
class Ground:
    """The ground states of B Hamiltonians.

    Parameters
    ----------
    energy : Tensor
        (B,) float64, per site.
    count : Tensor
        (B,) float64, the number of configurations that have it, exact below 2^53.
    """

    energy: Tensor
    count: Tensor


def ground_states(hamiltonian: Hamiltonian) -> Ground:
    """Compute the lowest energy of every Hamiltonian and its degeneracy.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        B Hamiltonians.

    Returns
    -------
    Ground
        Energies per site and numbers of configurations.

    Raises
    ------
    ValueError
        For tori that are too large.
    """
    levels = [_lowest(hamiltonian.select([k])) for k in range(len(hamiltonian))]
    return Ground(*(torch.tensor(values, dtype=torch.float64) for values in zip(*levels, strict=True)))


def log_partition(hamiltonian: Hamiltonian, temperature: float) -> Tensor:
    """Compute ln Z = ln Σ exp(−E/T) of every Hamiltonian.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        B Hamiltonians.
    temperature : float
        In J/k_B.

    Returns
    -------
    Tensor, (B,) float64
        ln Z of all sites.

    Raises
    ------
    ValueError
        For tori that are too large, or a temperature that is not above 0.
    """
    return torch.stack([_log_partition(hamiltonian.select([k]), temperature) for k in range(len(hamiltonian))])


def _log_partition(hamiltonian: Hamiltonian, temperature: float) -> Tensor:
    if has_four_layers(hamiltonian):
        return log_partition_of_layers(hamiltonian, temperature)
    return _columns(Sweep(hamiltonian), Boltzmann(temperature))[1].logsumexp(0)


def mean_energy(hamiltonian: Hamiltonian, temperature: float, step: float = 1e-3) -> Tensor:
    """Compute the mean energy per site, −∂ ln Z/∂β / N, by a difference of fourth order, right to about 1e-9.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        B Hamiltonians.
    temperature : float
        In J/k_B.
    step : float
        The step of the difference, as a fraction of β.

    Returns
    -------
    Tensor, (B,) float64
        In J.
    """
    beta, total = 1 / temperature, 0.0
    for k, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        total = total + weight * log_partition(hamiltonian, 1 / (beta * (1 + k * step)))
    return -total / (12 * step * beta) / hamiltonian.torus.sites


def sample_boltzmann(
    hamiltonian: Hamiltonian, temperature: float, count: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw independent configurations exactly from the Boltzmann distribution exp(−E/T)/Z.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        A single one.
    temperature : float
        In J/k_B.
    count : int
        The number of configurations.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Returns
    -------
    Tensor
        (count, N) int64.

    Raises
    ------
    ValueError
        For tori that are too large.
    """
    sweep, algebra = Sweep(hamiltonian), Boltzmann(temperature)
    starts, log = _columns(sweep, algebra)
    return _draw(sweep, algebra, starts, (log - log.max()).exp(), count, generator)


def sample_ground_states(hamiltonian: Hamiltonian, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw independent configurations, uniformly among all of the lowest energy.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        A single one.
    count : int
        The number of configurations.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Returns
    -------
    Tensor
        (count, N) int64.

    Raises
    ------
    ValueError
        For tori that are too large.
    """
    sweep, algebra = Sweep(hamiltonian), Lowest(_tolerance(hamiltonian))
    starts, energy, number = _lowest_columns(sweep, algebra)
    return _draw(sweep, algebra, starts, number * (energy <= energy.min() + algebra.tolerance), count, generator)


def _lowest(hamiltonian: Hamiltonian) -> tuple[float, float]:
    algebra = Lowest(_tolerance(hamiltonian))
    _, energy, count = _lowest_columns(Sweep(hamiltonian), algebra)
    least = energy.min()
    return least.item() / hamiltonian.torus.sites, count[energy <= least + algebra.tolerance].sum().item()


def _tolerance(hamiltonian: Hamiltonian) -> float:
    return EQUAL * float(hamiltonian.coupling.abs().sum() + hamiltonian.field.abs().sum())


def _columns(sweep: Sweep, algebra: Boltzmann) -> tuple[Tensor, Tensor]:
    """All states of the first row (width, S), and the logarithms of the sums over all other sites (S,)."""
    starts, logs = [], []
    for start in sweep.starts():
        starts.append(start)
        logs.append(algebra.log(sweep.run(algebra, start)) - algebra.beta * sweep.row_energy(start))
    return torch.cat(starts, 1), torch.cat(logs)


def _lowest_columns(sweep: Sweep, algebra: Lowest) -> tuple[Tensor, Tensor, Tensor]:
    starts, energies, counts = [], [], []
    for start in sweep.starts():
        energy, count = sweep.run(algebra, start)
        starts.append(start)
        energies.append(energy + sweep.row_energy(start))
        counts.append(count)
    return torch.cat(starts, 1), torch.cat(energies), torch.cat(counts)


def _draw(
    sweep: Sweep, algebra: Algebra, starts: Tensor, weights: Tensor, count: int, generator: torch.Generator | None
) -> Tensor:
    heap = weights.cumsum(0)
    u = torch.rand(count, generator=generator, dtype=torch.float64) * heap[-1]
    column = torch.searchsorted(heap, u, right=True).clamp_max(len(heap) - 1)
    return sweep.draw(algebra, starts[:, column], generator)
