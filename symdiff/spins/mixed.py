"""Wolff's clusters and heat bath in turn: chains that mix at every temperature."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.heat_bath import HeatBath
from symdiff.spins.wolff import Wolff

CLUSTERS, SWEEPS = 6, 2
"""Updates of a round: clusters mix where spins are ordered, the heat bath mixes where they are not."""


def rounds(
    hamiltonian: Hamiltonian,
    temperature: float | Tensor,
    chains: int,
    count: int,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Make rounds of both updates, from random spins.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        A single one, without a field.
    temperature : float or Tensor
        One for all chains, or (chains,), in J/k_B.
    chains : int
        The number of chains.
    count : int
        The number of rounds.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Yields
    ------
    Tensor
        The labels (chains, N) after each round.
    """
    wolff = Wolff(hamiltonian, temperature, chains, generator)
    bath = HeatBath(hamiltonian, temperature, chains, generator)
    for _ in range(count):
        wolff.update(CLUSTERS)
        bath.spins = wolff.spins
        bath.sweep(SWEEPS)
        wolff.spins = bath.spins
        yield bath.spins
