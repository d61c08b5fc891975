"""The transfer matrix from layer to layer, for tori of four layers: ln Z of 4 x 4 x 4 Ising spins in a second."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.groups.lattices import Space
from symdiff.spins.hamiltonian import Hamiltonian, interaction

MOST_SITES = 16
"""Of a layer."""


def has_four_layers(hamiltonian: Hamiltonian) -> bool:
    """Whether ``log_partition_of_layers`` is for this Hamiltonian.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        Any.
    """
    torus = hamiltonian.torus
    return (
        torus.lattice.kind == "cubic"
        and torus.sides[0] == 4
        and torus.sites <= 4 * MOST_SITES
        and len(hamiltonian) == 1
        and torch.equal(hamiltonian.interaction, interaction("ising"))
        and torch.equal(hamiltonian.coupling, Hamiltonian.make(torus, hamiltonian.interaction).coupling)
        and not hamiltonian.has_field
    )


def log_partition_of_layers(hamiltonian: Hamiltonian, temperature: float) -> Tensor:
    """ln Z of Ising spins with J = 1 on a cubic torus of 4 x a x b sites, a·b <= 16: a float64 number.

    With the symmetric transfer matrix T from a layer to the next, Z = Tr T⁴ = Σ_s |T² e_s|². The sum has one term for
    each orbit of layers s under the symmetries of a layer and the flip. T is a product over sites between two diagonal
    matrices, so T² e_s costs as much as a few Walsh transforms.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One that ``has_four_layers``.
    temperature : float
        In J/k_B.
    """
    beta, sides = 1 / temperature, hamiltonian.torus.sides
    sites = sides[1] * sides[2]
    states = torch.arange(1 << sites)
    half = (beta / 2 * _bonds_within(states, sides)).exp()
    representatives, sizes = _orbits(states, sides)
    bond = torch.tensor([[beta, -beta], [-beta, beta]], dtype=torch.float64).exp()
    total = torch.zeros((), dtype=torch.float64)
    for part, weight in zip(representatives.split(64), sizes.split(64), strict=True):
        vectors = torch.zeros(len(part), len(states), dtype=torch.float64)
        vectors[torch.arange(len(part)), part] = 1.0
        for _ in range(2):
            vectors = half * _along_bonds(half * vectors, bond, sites)
        total = total + (weight * vectors.square().sum(1)).sum()
    return total.log()


def _spins(states: Tensor, site: int) -> Tensor:
    return 1 - 2 * (states >> site & 1)


def _bonds_within(states: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Σ s s' over the bonds within a layer, on a side of 2 each twice, (2^n,) float64."""
    total, (_, rows, columns) = torch.zeros(len(states), dtype=torch.float64), sides
    for i in range(rows):
        for j in range(columns):
            own = _spins(states, i * columns + j)
            below = _spins(states, (i + 1) % rows * columns + j)
            right = _spins(states, i * columns + (j + 1) % columns)
            total += own * (below + right)
    return total


def _orbits(states: Tensor, sides: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The smallest state of every orbit under the space group of a layer and the flip, and the orbits' sizes."""
    space, sites = Space("square", sides[1:]), sides[1] * sides[2]
    smallest = states
    for preimages in space.preimages(space.from_number(torch.arange(space.count(sites)), sites), sites).tolist():
        moved = torch.zeros_like(states)
        for site, source in enumerate(preimages):
            moved |= (states >> source & 1) << site
        smallest = torch.minimum(smallest, torch.minimum(moved, moved ^ (len(states) - 1)))
    return smallest.unique(return_counts=True)


def _along_bonds(vectors: Tensor, bond: Tensor, sites: int) -> Tensor:
    """The product over all sites of the bond to the next layer, applied to vectors (M, 2^n)."""
    for site in range(sites):
        folded = vectors.view(len(vectors), -1, 2, 1 << site)
        vectors = torch.einsum("ab,mxby->mxay", bond, folded).reshape(len(vectors), -1)
    return vectors
