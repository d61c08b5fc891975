"""Ising spins on periodic lattices of several kinds, whose bonds are given."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.domains.lattice import SpinLattice
from symdiff.domains.tori_bonds import MOST_SITES
from symdiff.domains.tori_codec import ToriCodec
from symdiff.domains.tori_options import ToriOptions
from symdiff.errors import UserError
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.state import Categorical, Real, Schema, State


class SpinTori(Domain):
    """Ising spins on a torus of any lattice, J = 1 between nearest neighbors, at a temperature.

    Which lattice is a condition, as the bonds between sites: sites carry no place, and the symmetries of a structure
    are the permutations that leave its bonds as they are. Objects are ``Configuration``s that name their lattice.
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
            ``chain``, ``square``, ``triangular`` or ``cubic``.
        sides : tuple of int
            Sites along each axis, at least 3: with 2, neighbors would share two bonds.

        Returns
        -------
        SpinLattice
            With a temperature as its only condition.

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
    """E = −Σ s_i s_j over the bonds of every structure, (B,) float64.

    Parameters
    ----------
    x : State
        With ``bond`` and ``spin``.
    """
    signs = torch.where(x.mask, 1 - 2 * x["spin"].double(), 0.0)
    return -torch.einsum("bi,bij,bj->b", signs, x["bond"].double(), signs) / 2
