"""Ising spins on tori of several lattices with the same number of sites."""

from __future__ import annotations

import numpy as np
import torch

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress
from symdiff.domains.tori import SpinTori
from symdiff.domains.tori_bonds import bonds_of
from symdiff.groups.torus import torus
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff.spins.mixed import rounds as mixed_rounds

TRAINED: dict[str, tuple[tuple[int, ...], tuple[float, float]]] = {
    "chain": ((64,), (0.8, 3.0)),
    "square": ((8, 8), (1.6, 3.4)),
    "triangular": ((8, 8), (2.6, 5.2)),
    "cubic": ((4, 4, 4), (3.2, 6.4)),
}
"""The lattices, their sides and the range of T in J/k_B, ordered to disordered: 64 sites each."""
BURN_IN = 60
HELD_OUT = 20
"""Of so many chains one is held out for validation, another for test."""


def spin_tori(chains: int = 512, rounds: int = 64, seed: int = 0, progress: Progress = None) -> Dataset:
    """Boltzmann's samples of Ising spins, J = 1, on four lattices of 64 sites.

    Each lattice has ``chains`` chains at temperatures that are evenly spaced in its range. They start at random and
    make rounds of Wolff's clusters and heat bath (``mixed_rounds``); after ``BURN_IN`` rounds each round gives one
    structure.

    Parameters
    ----------
    chains : int
        Of each lattice.
    rounds : int
        Structures of each chain.
    seed : int
        Of all random numbers.
    progress : callable, optional
        Told of every round.

    Returns
    -------
    Dataset
        4 · ``chains`` · ``rounds`` structures, lattice by lattice.
    """
    generator = torch.Generator().manual_seed(seed)
    split = np.zeros(chains, np.uint8)
    split[HELD_OUT // 2 :: HELD_OUT], split[HELD_OUT - 1 :: HELD_OUT] = 1, 2
    columns: dict[str, list[np.ndarray]] = {}
    for number, (kind, (sides, (low, high))) in enumerate(TRAINED.items()):
        model = Hamiltonian.make(torus(kind, sides), interaction("ising"))
        temperature = low + (high - low) * (torch.arange(chains, dtype=torch.float64) + 0.5) / chains
        drawn = []
        for k, spins in enumerate(mixed_rounds(model, temperature, chains, BURN_IN + rounds, generator)):
            if k >= BURN_IN:
                drawn.append(spins.to(torch.uint8).numpy())
            if progress is not None:
                progress(number * (BURN_IN + rounds) + k + 1, len(TRAINED) * (BURN_IN + rounds))
        count, bonds = rounds * chains, bonds_of(kind, sides)
        for name, value in {
            "num_nodes": np.full(count, model.torus.sites, np.int32),
            "num_edges": np.full(count, len(bonds), np.int32),
            "edges": np.tile(bonds, (count, 1)),
            "bond": np.ones(count * len(bonds), np.uint8),
            "temperature": np.tile(temperature.numpy().astype(np.float32), rounds)[:, None],
            "spin": np.stack(drawn).reshape(-1),
            "split": np.tile(split, rounds),
        }.items():
            columns.setdefault(name, []).append(value)
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    settings = {
        "chains": chains,
        "rounds": rounds,
        "seed": seed,
        "lattices": {k: list(v[0]) for k, v in TRAINED.items()},
    }
    return Dataset.from_arrays(
        SpinTori(), arrays, {"name": "spin-tori", "source": "computed by symdiff", "settings": settings}
    )
