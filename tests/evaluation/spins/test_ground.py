"""Ground states that samples are compared with: brute force on every lattice, minimum cuts on large ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from symdiff.groups.torus import torus
from symdiff.spins.hamiltonian import Hamiltonian, gaussian_bonds, half, interaction, random_fields
from symdiff.spins.max_flow import ground_states_in_fields
from symdiff_evaluation.spins.exact import find_ground_level
from symdiff_evaluation.spins.metrics.exact import GroundStates
from symdiff_evaluation.spins.samples import from_arrays

ISING = interaction("ising")


def arrays(
    kind: str, sides: list[int], couplings: torch.Tensor, fields: torch.Tensor, labels: torch.Tensor
) -> dict[str, np.ndarray]:
    """One Hamiltonian and its configurations as ``symdiff sample`` writes them; ``couplings``: (N, D/2)."""
    piece = torus(kind, sides)
    directions = 2 * couplings.shape[-1]
    return {
        "spins": (1 - 2 * labels).reshape(-1, *sides).numpy(),
        "coupling": couplings.reshape(*sides, -1).numpy(),
        "directions": piece.lattice.star(directions)[half(piece, directions)].numpy(),
        "field": fields[..., 0].reshape(sides).numpy(),
        "lattice": np.array(kind),
    }


@pytest.mark.parametrize(
    ("kind", "sides", "shells"),
    [
        ("chain", [9], 2),
        ("square", [3, 4], 1),
        ("square", [3, 3], 2),
        ("triangular", [3, 4], 1),
        ("triangular", [3, 3], 2),
        ("cubic", [2, 2, 3], 1),
    ],
)
def test_energies_and_ground_states_are_the_packages_by_brute_force(kind, sides, shells):
    piece, draw = torus(kind, sides), torch.Generator().manual_seed(0)
    couplings, fields = gaussian_bonds(piece, 0.0, 1.0, 1, draw, shells)[0], random_fields(piece, 0.7, 1, draw)[0]
    every = torch.arange(2**piece.sites)[:, None] >> torch.arange(piece.sites) & 1
    spins = from_arrays(arrays(kind, sides, couplings, fields, every))
    energy = Hamiltonian.make(piece, ISING, couplings, fields).energy(every)
    assert spins.observations.energy == pytest.approx(energy.numpy(), abs=1e-12)
    lowest = find_ground_level(spins.parts[0])
    assert lowest.energy == pytest.approx(energy.min().item(), abs=1e-12) and lowest.count == 1
    found = GroundStates()(spins)
    assert found["ground.share"].value == 1 / len(every) and found["ground.states_found"].value == 1
    assert found["ground.energy_gap"].value == pytest.approx((energy - energy.min()).mean().item())


@pytest.mark.parametrize(
    ("kind", "sides", "bonds"), [("square", [24, 24], 2), ("triangular", [12, 11], 3), ("cubic", [5, 6, 5], 3)]
)
def test_random_fields_on_large_lattices(kind, sides, bonds):
    piece = torus(kind, sides)
    h = Hamiltonian.make(piece, ISING, [1.0] * bonds, random_fields(piece, 2.0, 1, torch.Generator().manual_seed(1)))
    cut = ground_states_in_fields(h)
    flipped = cut.spins.clone()
    flipped[0, 3] = 1 - flipped[0, 3]
    labels = torch.cat([cut.spins, cut.spins, flipped])
    given = arrays(kind, sides, torch.ones(piece.sites, bonds), h.field[0], labels)
    found = GroundStates()(from_arrays(given))
    assert cut.unique.item() and found["ground.share"].value == pytest.approx(2 / 3)
    assert found["ground.states_found"].value == 1 and found["ground.states_found"].count == 1
    gap = (h.energy(flipped) - cut.energy).item()
    assert found["ground.energy_gap"].value == pytest.approx(gap / 3) and gap > 0
    frustrated = from_arrays({**given, "coupling": -given["coupling"]})
    assert find_ground_level(frustrated.parts[0]) is None and GroundStates()(frustrated)["ground.share"].undecided == 3


def test_how_many_ground_states_a_cut_leaves_open():
    """Both ground states of a large ferromagnet are known as such, how many there are is not."""
    spins = from_arrays({"spins": np.stack([np.ones((16, 16)), -np.ones((16, 16))])})
    assert find_ground_level(spins.parts[0]).energy == -2 and find_ground_level(spins.parts[0]).count is None
    found = GroundStates()(spins)
    assert (
        found["ground.share"].value == 1
        and found["ground.states_found"].value is None
        and found["ground.states_found"].undecided == 2
    )


def test_a_cut_that_was_rounded_too_much_is_none(monkeypatch):
    piece = torus("square", [16, 16])
    fields = random_fields(piece, 1.0, 1, torch.Generator().manual_seed(2))[0]
    spins = from_arrays(arrays("square", [16, 16], torch.ones(256, 2), fields, torch.zeros(1, 256).long()))
    assert find_ground_level(spins.parts[0]) is not None
    monkeypatch.setattr("symdiff.spins.max_flow.WHOLE", 2**12)
    other = replace(spins, hamiltonian=replace(spins.hamiltonian, field=spins.hamiltonian.field + 1e-3))
    assert find_ground_level(other.parts[0]) is None
