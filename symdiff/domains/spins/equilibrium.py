"""Samples of Boltzmann's law for training and reference, at any temperature."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.domains.spins.hamiltonian import Hamiltonian
from symdiff.domains.spins.heat_bath import HeatBath
from symdiff.domains.spins.wolff import Wolff


def equilibrium(
    hamiltonian: Hamiltonian,
    temperature: float | Tensor,
    chains: int,
    rounds: int = 1,
    generator: torch.Generator | None = None,
    warm: int = 200,
    between: int = 20,
) -> Tensor:
    """Labels of ``chains`` chains at ``rounds`` times, (rounds, chains, N) int8.

    A step is a sweep of heat bath, fast in disorder, then a Wolff cluster, fast in order and at the critical point (with a field or
    several Hamiltonians: heat bath alone). ``warm`` steps come before the first round, ``between`` steps before every other.
    ``temperature``: a number or (chains,).
    """
    bath = HeatBath(hamiltonian, temperature, chains, generator)
    clusters = len(hamiltonian) == 1 and not hamiltonian.has_field
    wolff = Wolff(hamiltonian, temperature, chains, generator) if clusters else None
    found = []
    for round_ in range(rounds):
        for _ in range(between if round_ else warm):
            bath.sweep()
            if wolff is not None:
                wolff.spins = bath.spins
                wolff.update()
                bath.spins = wolff.spins
        found.append(bath.spins.to(torch.int8))
    return torch.stack(found)
