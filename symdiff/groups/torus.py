"""A periodic piece of a lattice: where its sites are and which are neighbors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from symdiff.groups.bravais import Bravais, bravais


@dataclass(frozen=True)
class Torus:
    """A periodic piece of a lattice: N = Π_a L_a sites, numbered row-major.

    Site n is at Σ_a n_a Π_{b>a} L_b, with n_a modulo L_a.

    Parameters
    ----------
    lattice : Bravais
        The infinite lattice.
    sides : tuple of int
        L_a, the periods along the primitive vectors in sites.
    """

    lattice: Bravais
    sides: tuple[int, ...]

    @property
    def sites(self) -> int:
        return math.prod(self.sides)

    def index(self, position: Tensor) -> Tensor:
        """Number the sites at integer vectors, taken modulo the sides.

        Parameters
        ----------
        position : Tensor, (..., d) int64
            The vectors.

        Returns
        -------
        Tensor, (...) int64
            The numbers of the sites.
        """
        place = torch.zeros(position.shape[:-1], dtype=torch.int64, device=position.device)
        for axis, side in enumerate(self.sides):
            place = place * side + position[..., axis].remainder(side)
        return place

    def positions(self) -> Tensor:
        """List the integer vectors of all sites, (N, d) int64."""
        return torch.cartesian_prod(*(torch.arange(side) for side in self.sides)).view(self.sites, len(self.sides))

    def neighbors(self, directions: int | Tensor) -> Tensor:
        """Find the neighbor of every site in every direction of a star.

        Parameters
        ----------
        directions : int or Tensor, (D, d) int64
            The star, as ``Bravais.star`` takes it.

        Returns
        -------
        Tensor, (N, D) int64
            The numbers of the neighbors.
        """
        return self.index(self.positions()[:, None] + self.lattice.star(directions))

    def bonds(self, directions: int | Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """List every bond once: E = N·D/2 of them.

        On a side of length 2 a site meets another one both ways: these are two bonds.

        Parameters
        ----------
        directions : int or Tensor, (D, d) int64
            The star, as ``Bravais.star`` takes it.

        Returns
        -------
        first, second : Tensor, (E,) int64
            The two sites of every bond.
        direction : Tensor, (E,) int64
            The direction from the first site to the second, as its index in the star.
        """
        opposite = self.lattice.opposite(directions)
        half = (torch.arange(len(opposite)) < opposite).nonzero()[:, 0]
        start = torch.arange(self.sites)[:, None].expand(-1, len(half)).reshape(-1)
        return start, self.neighbors(directions)[:, half].reshape(-1), half.repeat(self.sites)

    def point_group(self) -> Tensor:
        """List the operations of the lattice that carry the torus to itself: their numbers, (P,) int64.

        All where the sides are equal.
        """
        sides = torch.tensor(self.sides, dtype=torch.int64)
        images = self.lattice.operations * sides  # column a: where the a-th period goes
        return (images.remainder(sides[:, None]) == 0).all((1, 2)).nonzero()[:, 0]


@cache
def _torus(kind: str, sides: tuple[int, ...]) -> Torus:
    lattice = bravais(kind)
    if len(sides) != lattice.dim or min(sides) < 2:
        raise ValueError(f"a {kind} lattice has {lattice.dim} periodic sides of at least 2 sites, got {list(sides)}")
    return Torus(lattice, sides)


def torus(kind: str, sides: Sequence[int] | int, nodes: int | None = None) -> Torus:
    """Make a torus with given sides.

    Parameters
    ----------
    kind : str
        The name of the lattice.
    sides : sequence of int, or int
        The sides in sites; one number stands for equal sides.
    nodes : int, optional
        The number of sites that the torus must have.

    Returns
    -------
    Torus
        The same object for the same arguments.

    Raises
    ------
    ValueError
        For sides that do not fit the lattice, or that do not have ``nodes`` sites.
    """
    dim = bravais(kind).dim
    piece = _torus(kind, (sides,) * dim if isinstance(sides, int) else tuple(int(side) for side in sides))
    if nodes is not None and piece.sites != nodes:
        raise ValueError(
            f"a {kind} lattice of {' x '.join(map(str, piece.sides))} has {piece.sites} sites, got {nodes}"
        )
    return piece


def torus_of(kind: str, nodes: int) -> Torus:
    """Make the torus with equal sides and a given number of sites.

    Parameters
    ----------
    kind : str
        The name of the lattice.
    nodes : int
        The number of sites.

    Returns
    -------
    Torus
        The same object for the same arguments.

    Raises
    ------
    ValueError
        Where no torus with equal sides has so many sites.
    """
    dim = bravais(kind).dim
    side = round(nodes ** (1 / dim))
    if side**dim != nodes:
        low = max(2, math.floor(nodes ** (1 / dim)))
        raise ValueError(f"a {kind} lattice with equal sides has {low**dim} or {(low + 1) ** dim} sites, got {nodes}")
    return _torus(kind, (side,) * dim)
