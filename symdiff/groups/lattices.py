"""Space groups of periodic lattices: translations and the operations of the point group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.config.ranges import Side
from symdiff.groups.base import Group
from symdiff.groups.bravais import LatticeKind, bravais, inverses
from symdiff.groups.orthogonal import turn
from symdiff.groups.permutations import permute_nodes
from symdiff.groups.torus import Torus, torus, torus_of
from symdiff.random import Generator, uniform
from symdiff.state import Real, Star, State

Point = Literal["full", "rotations", "none"]


class Space(Group[Tensor]):
    """x ↦ P·x + t on the sites of a torus: p4m on the square lattice, p6m on the triangular, Pm-3m on the cubic one.

    An element is (B, 1 + d) int64: the number of P among the lattice's ``operations``, then the translation t in sites.
    Elements compose as those of the lattice without end; a torus sees t modulo its sides, so that one group serves all
    sizes and 64 x 64 sites need no table. Fields on sites move with them, the directions of a ``Star`` and vectors of d
    components also turn.

    Parameters
    ----------
    lattice : {"chain", "square", "triangular", "cubic"}
        The kind of lattice.
    sides : sequence of int, optional
        The lengths of the torus in sites; without them a structure of N sites is a torus with equal sides. Where sides
        differ, ``point`` is cut down to what carries the torus to itself.
    point : {"full", "rotations", "none"}
        The point operations: all, the proper rotations (p4, p6), or the identity (p1).
    translations : bool
        False keeps the site 0 in its place.

    Raises
    ------
    ValueError
        For a lattice or a ``point`` of another name, or sides that do not fit the lattice.
    """

    def __init__(
        self,
        lattice: LatticeKind = "square",
        sides: Sequence[Side] | None = None,
        point: Point = "full",
        translations: bool = True,
    ) -> None:
        if point not in get_args(Point):
            raise ValueError(f"point must be one of {get_args(Point)}, got {point!r}")
        self.lattice, self.point, self.translations = bravais(lattice), point, translations
        self.sides = None if sides is None else torus(lattice, sides).sides
        operations = self.lattice.operations
        self._inverses = inverses(operations)
        products = operations[:, None] @ operations
        self._product = (products[:, :, None] == operations).all((-2, -1)).long().argmax(-1)
        self._inverse = (self._inverses[:, None] == operations).all((-2, -1)).long().argmax(-1)

    def torus(self, nodes: int) -> Torus:
        """Find the torus of a structure.

        Parameters
        ----------
        nodes : int
            N, the number of its sites.

        Returns
        -------
        Torus
            That of ``sides``, else the one with equal sides.

        Raises
        ------
        ValueError
            Where the lattice has no torus with these sides and so many sites.
        """
        kind = self.lattice.kind
        return torus_of(kind, nodes) if self.sides is None else torus(kind, self.sides, nodes)

    def operations(self, nodes: int) -> Tensor:
        """List the point operations of the group on a torus.

        Parameters
        ----------
        nodes : int
            N, the number of sites.

        Returns
        -------
        Tensor, (P,) int64
            Numbers among ``lattice.operations``, the identity first.
        """
        whole = self.torus(nodes).point_group()
        limit = {"full": len(self.lattice.operations), "rotations": len(self.lattice.operations) // 2, "none": 1}[
            self.point
        ]
        return whole[whole < limit]

    def count(self, nodes: int) -> int:
        """Count the elements that act differently on a torus.

        Parameters
        ----------
        nodes : int
            N, the number of sites.

        Returns
        -------
        int
            Point operations times translations.
        """
        return len(self.operations(nodes)) * (nodes if self.translations else 1)

    def from_number(self, number: Tensor, nodes: int) -> Tensor:
        """Make elements from their numbers.

        Parameters
        ----------
        number : Tensor, (M,) int64
            From 0, the identity, to ``count`` - 1.
        nodes : int
            N, the number of sites.

        Returns
        -------
        Tensor, (M, 1 + d) int64
            The elements.
        """
        moves = nodes if self.translations else 1
        operation = self.operations(nodes).to(number.device)[number // moves]
        positions = self.torus(nodes).positions().to(number.device)
        return torch.cat([operation[:, None], positions[number % moves]], 1)

    def number(self, g: Tensor, nodes: int) -> Tensor:
        """Number elements; those that differ by periods of the torus alone have the same number.

        Parameters
        ----------
        g : Tensor, (M, 1 + d) int64
            The elements.
        nodes : int
            N, the number of sites.

        Returns
        -------
        Tensor, (M,) int64
            From 0 to ``count`` - 1.
        """
        operation = torch.searchsorted(self.operations(nodes).to(g.device), g[:, 0].contiguous())
        return operation * nodes + self.torus(nodes).index(g[:, 1:]) if self.translations else operation

    def identity(self, mask: Tensor) -> Tensor:
        self._check(mask)
        return torch.zeros(len(mask), 1 + self.lattice.dim, dtype=torch.int64, device=mask.device)

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        nodes = self._check(mask)
        count = self.count(nodes)
        draw = uniform((len(mask),), generator, mask.double()) * count  # 52 bits
        return self.from_number(draw.long().clamp_max(count - 1), nodes)

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        turned = _times(self.lattice.operations.to(g.device)[g[:, 0]], h[:, 1:])
        return torch.cat([self._product.to(g.device)[g[:, 0], h[:, 0]][:, None], g[:, 1:] + turned], 1)

    def inverse(self, g: Tensor) -> Tensor:
        operation = self._inverse.to(g.device)[g[:, 0]]
        back = _times(self._inverses.to(g.device)[g[:, 0]], g[:, 1:])
        return torch.cat([operation[:, None], -back], 1)

    def preimages(self, g: Tensor, nodes: int) -> Tensor:
        """Find the site that g carries to every site: (g·x)_i = x_{preimages[i]}.

        Parameters
        ----------
        g : Tensor, (B, 1 + d) int64
            The elements.
        nodes : int
            N, the number of sites.

        Returns
        -------
        Tensor, (B, N) int64
            The preimages.
        """
        piece, operation = self.torus(nodes), g[:, 0]
        turned = _turn_sites(self.lattice.kind, piece.sides).to(g.device)
        shift, place = _times(self._inverses.to(g.device)[operation], g[:, 1:]), torch.zeros_like(operation)[:, None]
        for axis, side in enumerate(piece.sides):
            moved = turned[axis, operation] - shift[:, axis, None].remainder(side)
            moved = torch.where(moved < 0, moved + side, moved)
            place = place * side + moved
        return place

    def act(self, g: Tensor, x: State) -> State:
        moved = permute_nodes(self.preimages(g, self._check(x.mask)), x)
        values = dict(moved.values)
        for name, field in x.schema.items():
            if isinstance(field, Star):
                turned = self.lattice.permute_star(field.directions).to(g.device)[g[:, 0]]
                places = turned[:, None, :, None].expand(values[name].shape)
                values[name] = values[name].gather(2, places)
            elif isinstance(field, Real) and field.vector == self.lattice.dim:
                rotation = self.lattice.rotations().to(g.device)[g[:, 0]].to(values[name].dtype)
                values[name] = turn(rotation, values[name])
        return State(x.mask, x.schema, values)

    def orbits(self, nodes: int) -> Tensor:
        """Number the orbits of the sites.

        Parameters
        ----------
        nodes : int
            N, the number of sites.

        Returns
        -------
        Tensor, (N,) int64
            The orbit of every site: numbers from 0, in the order of the orbits' first sites.
        """
        if self.translations:
            return torch.zeros(nodes, dtype=torch.int64)
        images = self.preimages(self.from_number(torch.arange(self.count(nodes)), nodes), nodes)
        return images.amin(0).unique(return_inverse=True)[1]

    def _check(self, mask: Tensor) -> int:
        if not bool(mask.all()):
            raise ValueError(
                "a batch of lattices needs the same number of sites in all rows, got "
                f"{sorted(set(mask.sum(1).tolist()))}"
            )
        self.torus(mask.shape[1])
        return mask.shape[1]


@cache
def _turn_sites(kind: str, sides: tuple[int, ...]) -> Tensor:
    """The sites' vectors P⁻¹n modulo the sides, axis by axis: (d, P, N)."""
    piece = torus(kind, sides)
    turned = torch.einsum("pij,nj->ipn", inverses(piece.lattice.operations), piece.positions())
    return turned.remainder(torch.tensor(sides)[:, None, None])


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products of integer matrices and vectors, which no library multiplies on a graphics processor."""
    return (matrix * vector[..., None, :]).sum(-1)
