"""Wolff's clusters and heat bath in turn: chains that mix at every temperature."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.heat_bath import HeatBath
from symdiff.spins.wolff import Wolff

CLUSTERS, SWEEPS = 6, 2
"""In a round: reflections of clusters, which mix where spins are ordered, and sweeps of heat bath, which mix where they are not."""


def rounds(hamiltonian: Hamiltonian, temperature: float | Tensor, chains: int, count: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
    """The labels (chains, N) after each of ``count`` rounds, from random ones; one Hamiltonian without a field, a temperature or one for each chain."""
    wolff, bath = Wolff(hamiltonian, temperature, chains, generator), HeatBath(hamiltonian, temperature, chains, generator)
    for _ in range(count):
        wolff.update(CLUSTERS)
        bath.spins = wolff.spins
        bath.sweep(SWEEPS)
        wolff.spins = bath.spins
        yield bath.spins
