"""Ising spins on periodic lattices of several kinds, whose bonds are given."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from math import prod

import numpy as np
import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.tori_codec import ToriCodec
from symdiff.domains.tori_options import ToriOptions
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.groups.torus import torus
from symdiff.state import Categorical, Real, Schema, State

LATTICES = ("chain", "square", "triangular", "cubic")
MOST_SITES = 4096


class SpinTori(Domain):
    """Ising spins on a torus of any lattice, J = 1 between nearest neighbors, at a temperature.

    Which lattice is a condition, as the bonds between sites: sites carry no place, and the symmetry of a structure are
    the permutations that leave its bonds as they are. Objects are ``Configuration``s with the name of their lattice.
    """

    @property
    def schema(self) -> Schema:
        """``bond``: 1 between nearest neighbors; ``temperature`` in J/k_B; ``spin``: 0 is up (+1), 1 is down (−1)."""
        return {
            "bond": Categorical("pair", 2, undirected=True),
            "temperature": Real("whole", 1),
            "spin": Categorical("node", 2),
        }

    @property
    def conditions(self) -> tuple[str, ...]:
        return ("bond", "temperature")

    @property
    def group(self) -> DirectProduct:
        """All permutations of sites, which move the bonds, too, times the flip of all spins."""
        return DirectProduct([Symmetric(), Relabel(["spin"], 2, [[1, 0]])])

    @property
    def spec(self) -> dict:
        return {"kind": "SpinTori"}

    @property
    def codec(self) -> ToriCodec:
        return ToriCodec(self)

    @property
    def options(self) -> ToriOptions:
        return ToriOptions(self)

    def lattice(self, kind: str, sides: tuple[int, ...]) -> SpinLattice:
        """One of the lattices as a domain of its own, which writes its files.

        Parameters
        ----------
        kind : str
            One of ``LATTICES``.
        sides : tuple of int
            Sites along each axis, at least 3: with 2, neighbors would share two bonds.

        Raises
        ------
        UserError
            For sides that the lattice cannot have.
        """
        if min(sides, default=0) < 3 or prod(sides) > MOST_SITES:
            raise UserError(f"expected sides of at least 3 and at most {MOST_SITES} sites, got {list(sides)}")
        return SpinLattice(kind, sides, conditions=["temperature"])

    @property
    def log_density(self) -> Callable[[State], Tensor]:
        """Boltzmann's −E/T."""
        return lambda x: -total_energy(x) / x["temperature"][:, 0].double()


def total_energy(x: State) -> Tensor:
    """E = −Σ s_i s_j over the bonds of every structure, (B,) float64."""
    signs = torch.where(x.mask, 1 - 2 * x["spin"].double(), 0.0)
    return -torch.einsum("bi,bij,bj->b", signs, x["bond"].double(), signs) / 2


@cache
def bonds_of(kind: str, sides: tuple[int, ...]) -> np.ndarray:
    """The bonds of a torus, each once with the smaller site first and sorted, (E, 2) int16."""
    start, end, _ = torus(kind, sides).bonds(len(bravais(kind).directions(1)))
    ends = torch.stack([torch.minimum(start, end), torch.maximum(start, end)], 1)
    return ends.unique(dim=0).numpy().astype(np.int16)


def recognize(bonds: np.ndarray, nodes: int) -> tuple[str, tuple[int, ...]]:
    """The kind and the sides of the torus that has these bonds, (E, 2) sorted as ``bonds_of`` has them.

    Raises
    ------
    UserError
        Where none has.
    """
    for kind in LATTICES:
        dim = bravais(kind).dim
        divisors = [k for k in range(3, nodes + 1) if nodes % k == 0]
        for sides in product(divisors, repeat=dim):
            if prod(sides) == nodes and np.array_equal(bonds_of(kind, sides), bonds):
                return kind, sides
    raise UserError(f"bonds: {len(bonds)} bonds of {nodes} sites are those of no torus of {', '.join(LATTICES)}")
