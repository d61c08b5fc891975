"""Data sets of spins that the package computes itself: Boltzmann samples and exact ground states."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.spins.hamiltonian import Hamiltonian, interaction
from symdiff.domains.spins.heat_bath import HeatBath
from symdiff.domains.spins.wolff import Wolff
from symdiff.errors import UserError
from symdiff.groups.torus import torus

TEMPERATURES = (1.6, 3.4)
"""The range of T in J/k_B: ordered, critical (2.269) and disordered."""
BURN_IN, CLUSTERS, SWEEPS = 60, 6, 2
HELD_OUT = 0.05
"""Share of the chains for each of validation and test."""


def ising(side: int = 16, chains: int = 1024, rounds: int = 64, seed: int = 0, progress: Progress = None) -> Dataset:
    """Ising spins on the square lattice, J = 1: ``chains``, each at a temperature of its own, evenly spaced in ``TEMPERATURES``.

    Chains start at random, and in every round make ``CLUSTERS`` reflections of Wolff's clusters (which mix where spins are
    ordered) and ``SWEEPS`` of heat bath (which mix where they are not); after ``BURN_IN`` rounds each round gives one structure.
    Every twentieth chain is held out for validation, another for test.
    """
    piece = torus("square", side)
    model = Hamiltonian.make(piece, interaction("ising"))
    low, high = TEMPERATURES
    temperature = low + (high - low) * (torch.arange(chains, dtype=torch.float64) + 0.5) / chains
    generator = torch.Generator().manual_seed(seed)
    wolff, bath = Wolff(model, temperature, chains, generator), HeatBath(model, temperature, chains, generator)
    found = []
    for k in range(BURN_IN + rounds):
        wolff.update(CLUSTERS)
        bath.spins = wolff.spins
        bath.sweep(SWEEPS)
        wolff.spins = bath.spins
        if k >= BURN_IN:
            found.append(bath.spins.to(torch.uint8))
        if progress is not None:
            progress(k + 1, BURN_IN + rounds)
    labels = torch.stack(found)  # (rounds, chains, N)
    values = {"spin": labels, "temperature": temperature.float().expand(rounds, -1)[..., None]}
    split = torch.zeros(chains, dtype=torch.uint8)
    every = round(1 / HELD_OUT)
    split[every // 2 :: every], split[every - 1 :: every] = 1, 2
    domain = SpinLattice(conditions=["temperature"])
    report = {"chains": chains, "rounds": rounds, "side": side, "seed": seed, "temperatures": list(TEMPERATURES)}
    return _dataset(f"ising-{side}", domain, {name: value.flatten(0, 1) for name, value in values.items()}, split.repeat(rounds), report)


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
    return Dataset.from_arrays(domain, arrays, {"name": name, "source": "computed by symdiff", "settings": dict(report)})
