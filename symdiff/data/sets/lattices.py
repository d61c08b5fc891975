"""Data sets of spins that the package computes itself: Boltzmann samples and exact ground states."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress
from symdiff.domains.lattice import SpinLattice
from symdiff.errors import UserError
from symdiff.groups.torus import torus
from symdiff.spins.exact import sample_ground_states
from symdiff.spins.hamiltonian import Hamiltonian, interaction, random_bonds
from symdiff.spins.mixed import rounds as mixed_rounds

TEMPERATURES = (1.6, 3.4)
"""The range of T in J/k_B: ordered, critical (2.269) and disordered."""
BURN_IN = 60
HELD_OUT = 0.05
"""Share of the chains, or of the Hamiltonians, for each of validation and test."""
LARGEST_FIELD = 3.0
MARGIN = 0.02
"""Hamiltonians whose ground states are nearer than this to another level (energy per site) are not drawn."""
PHASES = (
    "ferromagnet",
    "ferromagnet",
    "antiferromagnet",
    "antiferromagnet",
    "stripes",
    "stripes",
    "stripes",
    "stripes",
)
"""What ``patterns`` are, in their order.

All up, all down, two checkerboards, stripes across axis 0 and across axis 1.
"""


def ising(side: int = 16, chains: int = 1024, rounds: int = 64, seed: int = 0, progress: Progress = None) -> Dataset:
    """Sample Ising spins on the square lattice, J = 1, at temperatures that are evenly spaced in ``TEMPERATURES``.

    Chains, each at a temperature of its own, start at random and make rounds of Wolff's clusters and heat bath
    (``mixed_rounds``); after ``BURN_IN`` rounds each round gives one structure. Every twentieth chain is held out for
    validation, another for test.

    Parameters
    ----------
    side : int
        The side of the lattice in sites.
    chains : int
        How many chains, and temperatures.
    rounds : int
        Structures of each chain.
    seed : int
        Of all random numbers.
    progress : callable, optional
        Called after every round, with 1 and how many rounds there are.

    Returns
    -------
    Dataset
        chains · rounds configurations with their temperature, in J/k_B, as a condition.

    References
    ----------
    Wolff: Collective Monte Carlo Updating for Spin Systems (Physical Review Letters 62, 1989).
    """
    piece = torus("square", side)
    model = Hamiltonian.make(piece, interaction("ising"))
    low, high = TEMPERATURES
    temperature = low + (high - low) * (torch.arange(chains, dtype=torch.float64) + 0.5) / chains
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for k, spins in enumerate(mixed_rounds(model, temperature, chains, BURN_IN + rounds, generator)):
        if k >= BURN_IN:
            samples.append(spins.to(torch.uint8))
        if progress is not None:
            progress(1, BURN_IN + rounds)
    labels = torch.stack(samples)  # (rounds, chains, N)
    values = {"spin": labels, "temperature": temperature.float().expand(rounds, -1)[..., None]}
    domain = SpinLattice(conditions=["temperature"])
    report = {"chains": chains, "rounds": rounds, "side": side, "seed": seed, "temperatures": list(TEMPERATURES)}
    return _dataset(
        f"ising-{side}",
        domain,
        {name: value.flatten(0, 1) for name, value in values.items()},
        _split(chains).repeat(rounds),
        report,
    )


def ground_states(side: int = 8, count: int = 16384, seed: int = 0, margin: float = MARGIN) -> Dataset:
    """Draw couplings and fields that are alike on all sites of a square lattice, each with a random one of its ground
    states.

    Half of them have J1 = Jx = Jy and J2, half Jx and Jy, all uniform in (−1, 1); the field is 0 for half, else uniform
    up to ``LARGEST_FIELD``. The patterns are exactly all ground states (see ``levels``).

    Parameters
    ----------
    side : int
        The side of the lattice in sites, even and at least 4.
    count : int
        How many Hamiltonians.
    seed : int
        Of all random numbers.
    margin : float
        The least energy per site that separates the ground states from the next level.

    Returns
    -------
    Dataset
        Configurations with coupling and field as conditions.

    Raises
    ------
    UserError
        For an odd or too small side.
    """
    if side % 2 or side < 4:
        raise UserError(f"side: expected an even number of at least 4, got {side}")
    generator = torch.Generator().manual_seed(seed)
    accepted: list[Tensor] = []
    while sum(map(len, accepted)) < count:
        numbers = 2 * torch.rand(count, 4, generator=generator) - 1
        numbers[::2, 1], numbers[1::2, 2] = numbers[::2, 0], 0.0
        numbers[:, 3] *= LARGEST_FIELD * (torch.rand(count, generator=generator) < 0.5)
        accepted.append(numbers[gap(numbers) >= margin])
    numbers = torch.cat(accepted)[:count]
    lowest = levels(numbers)[:, :-1]
    lowest = (lowest <= lowest.amin(1, keepdim=True)).float()
    chosen = torch.multinomial(lowest, 1, generator=generator)[:, 0]
    values = {**conditions(numbers, side), "spin": patterns(side)[chosen].to(torch.uint8)}
    domain = SpinLattice(shells=2, conditions=["coupling", "field"])
    return _dataset(
        f"ground-states-{side}", domain, values, _split(count), {"side": side, "seed": seed, "margin": margin}
    )


def spin_glass(side: int = 6, count: int = 4096, seed: int = 0, progress: Progress = None) -> Dataset:
    """Draw ±J spin glasses on square tori, bonds 1 or −1 with equal chances, each with a random ground state.

    They are exact, by the transfer matrix: some 5 ms each with a side of 6, 50 ms with 8.

    Parameters
    ----------
    side : int
        The side of the lattice in sites.
    count : int
        How many spin glasses.
    seed : int
        Of all random numbers.
    progress : callable, optional
        Called after every one, with 1 and how many there are.

    Returns
    -------
    Dataset
        Configurations with coupling as a condition.
    """
    piece, generator = torus("square", side), torch.Generator().manual_seed(seed)
    model = Hamiltonian.make(piece, interaction("ising"), random_bonds(piece, 0.5, count, generator))
    drawn = []
    for k in range(count):
        drawn.append(sample_ground_states(model.select([k]), 1, generator)[0])
        if progress is not None:
            progress(1, count)
    values = {"coupling": model.coupling.float()[..., None], "spin": torch.stack(drawn).to(torch.uint8)}
    domain = SpinLattice(conditions=["coupling"])
    return _dataset(f"spin-glass-{side}", domain, values, _split(count), {"side": side, "seed": seed})


def patterns(side: int) -> Tensor:
    """Make the eight patterns of ``PHASES``: uniform, checkered, and striped along either axis, each with its opposite.

    Parameters
    ----------
    side : int
        The side of the lattice in sites, even.

    Returns
    -------
    Tensor
        Labels, (8, side²) int64.
    """
    a, b = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    distinct = [torch.zeros_like(a), (a + b) % 2, a % 2, b % 2]
    return torch.stack([one.flatten() for pattern in distinct for one in (pattern, 1 - pattern)])


def levels(numbers: Tensor) -> Tensor:
    """Evaluate the energies of the eight patterns, and a bound on that of all that is none of them.

    A configuration's energy is the mean over its plaquettes of what a plaquette costs, so that it is at least that of
    the cheapest. Eight of the sixteen plaquettes are those of the patterns, which each fill a lattice with themselves
    alone where they are cheapest; the others have one odd spin, and −|h|/2.

    Parameters
    ----------
    numbers : Tensor
        (M, 4): Jx along axis 0, Jy along axis 1, J2 along both diagonals, h.

    Returns
    -------
    Tensor
        (M, 9) float64, energies per site of the patterns and, last, the bound.
    """
    jx, jy, j2, h = numbers.double().unbind(1)
    checkers, across, along = jx + jy - 2 * j2, jx - jy + 2 * j2, jy - jx + 2 * j2
    up = -jx - jy - 2 * j2
    return torch.stack([up - h, up + h, checkers, checkers, across, across, along, along, -h.abs() / 2], 1)


def gap(numbers: Tensor) -> Tensor:
    """Evaluate how far the ground states are below the next level.

    Parameters
    ----------
    numbers : Tensor
        (M, 4), as for ``levels``.

    Returns
    -------
    Tensor
        (M,) float64, per site; negative where the ground states are none of the patterns.
    """
    energy = levels(numbers)
    lowest = energy[:, :-1].amin(1, keepdim=True)
    other = torch.where((energy[:, :-1] > lowest), energy[:, :-1], torch.inf).amin(1)
    return torch.minimum(other, energy[:, -1]) - lowest[:, 0]


def conditions(numbers: Tensor, side: int) -> dict[str, Tensor]:
    """Make the condition fields of Hamiltonians that are alike on all sites.

    Parameters
    ----------
    numbers : Tensor
        (M, 4), as for ``levels``.
    side : int
        The side of the lattice in sites.

    Returns
    -------
    dict of str to Tensor
        ``coupling`` (M, N, 8, 1) and ``field`` (M, N, 2).
    """
    jx, jy, j2, h = numbers.float().unbind(1)
    star = torch.stack([jx, jy, jx, jy, j2, j2, j2, j2], 1)
    field = torch.stack([h, -h], 1)
    conditions = {"coupling": star[..., None], "field": field}
    return {
        name: value[:, None].expand(len(value), side * side, *value.shape[1:]).contiguous()
        for name, value in conditions.items()
    }


def _split(count: int) -> Tensor:
    """0 for training, 1 and 2 for what is held out, (count,)."""
    every = round(1 / HELD_OUT)
    split = torch.zeros(count, dtype=torch.uint8)
    split[every // 2 :: every], split[every - 1 :: every] = 1, 2
    return split


def _dataset(name: str, domain: SpinLattice, values: Mapping[str, Tensor], split: Tensor, report: Mapping) -> Dataset:
    """``values``: (M, ...) by the name of a field; ``split``: (M,)."""
    count, nodes = values["spin"].shape
    arrays = {
        "num_nodes": np.full(count, nodes, np.int32),
        "num_edges": np.zeros(count, np.int32),
        "edges": np.zeros((0, 2), np.int16),
        "split": split.numpy(),
    }
    for key, field in domain.schema.items():
        value = values[key].numpy()
        arrays[key] = value if field.axes == "whole" else value.reshape(count * nodes, *field.trailing)
    return Dataset.from_arrays(
        domain, arrays, {"name": name, "source": "computed by symdiff", "settings": dict(report)}
    )
