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
    """The labels (chains, N) after each of ``count`` rounds, from random ones.

    One Hamiltonian without a field, a temperature or one for each chain.
    """
    wolff = Wolff(hamiltonian, temperature, chains, generator)
    bath = HeatBath(hamiltonian, temperature, chains, generator)
    for _ in range(count):
        wolff.update(CLUSTERS)
        bath.spins = wolff.spins
        bath.sweep(SWEEPS)
        wolff.spins = bath.spins
        yield bath.spins
