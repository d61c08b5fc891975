"""Bravais lattices: their point groups and the directions of their bonds, as integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.errors import nearest

LatticeKind = Literal["chain", "square", "triangular", "cubic"]


@dataclass(frozen=True)
class Bravais:
    """An infinite lattice: sites are integer vectors n, at the position Σ_a n_a · ``cell[a]``.

    Parameters
    ----------
    kind : {"chain", "square", "triangular", "cubic"}
        The name of the lattice; its dimension d is 1, 2, 2 or 3.
    cell : Tensor, (d, d) float64
        The primitive vectors, of unit length.
    operations : Tensor, (P, d, d) int64
        The point group, the identity first. The first half are the proper rotations (in two dimensions the powers of
        the smallest one), the second half are the same ones after one reflection.
    shells : tuple of Tensor, (D, d) int64
        The directions from a site to its nearest, then to its next-nearest neighbors.
    """

    kind: LatticeKind
    cell: Tensor
    operations: Tensor
    shells: tuple[Tensor, ...]

    @property
    def dim(self) -> int:
        return self.cell.shape[0]

    def directions(self, shells: int | None = None) -> Tensor:
        """List the directions of the first shells.

        Parameters
        ----------
        shells : int, optional
            How many shells; without it all.

        Returns
        -------
        Tensor, (D, d) int64
            Nearest neighbors first.

        Raises
        ------
        ValueError
            For a number of shells that the lattice does not have.
        """
        if shells is not None and not 1 <= shells <= len(self.shells):
            raise ValueError(f"shells must be 1 to {len(self.shells)}, got {shells}")
        return torch.cat(self.shells[:shells])

    def star(self, directions: int | Tensor) -> Tensor:
        """List the first directions, which must be whole shells.

        Parameters
        ----------
        directions : int or Tensor, (D, d) int64
            Their number, or directions of one's own, each with its opposite, which are returned as they are.

        Returns
        -------
        Tensor, (D, d) int64
            The directions of the star.

        Raises
        ------
        ValueError
            For a number that does not make whole shells, or for own directions of which one is zero, repeated or lacks
            its opposite.
        """
        if isinstance(directions, Tensor):
            opposites = (directions[:, None] == -directions).all(-1).sum(1)
            if (
                directions.ndim != 2
                or directions.shape[1] != self.dim
                or not bool((opposites == 1).all() and directions.any(1).all())
            ):
                raise ValueError(
                    f"a star on the {self.kind} lattice needs different directions, each with its opposite, got "
                    f"{directions.tolist()}"
                )
            return directions
        every = self.directions()
        whole = [len(self.directions(k + 1)) for k in range(len(self.shells))]
        if directions not in whole:
            raise ValueError(
                f"a star on the {self.kind} lattice has {' or '.join(map(str, whole))} directions, got {directions}"
            )
        return every[:directions]

    def opposite(self, directions: int | Tensor) -> Tensor:
        """Find the opposite of every direction of a star.

        Parameters
        ----------
        directions : int or Tensor, (D, d) int64
            The star, as ``star`` takes it.

        Returns
        -------
        Tensor, (D,) int64
            The index of the opposite direction within the star.
        """
        star = self.star(directions)
        return _places(star, -star)

    def permute_star(self, directions: int) -> Tensor:
        """Find how the point group permutes the directions of a star.

        Parameters
        ----------
        directions : int
            The number of directions, in whole shells.

        Returns
        -------
        Tensor, (P, D) int64
            Preimages: operation p carries direction ``[p, l]`` to direction l.
        """
        star = self.star(directions)
        back = torch.einsum("pab,lb->pla", inverses(self.operations), star)
        return torch.stack([_places(star, one) for one in back])

    def rotations(self) -> Tensor:
        """Write the operations as orthogonal matrices, (P, d, d) float64."""
        basis = self.cell.T
        return basis @ self.operations.double() @ torch.linalg.inv(basis)


def inverses(operations: Tensor) -> Tensor:
    """Invert integer matrices of determinant ±1.

    Parameters
    ----------
    operations : Tensor, (P, d, d) int64
        The matrices.

    Returns
    -------
    Tensor, (P, d, d) int64
        Their inverses, exact.
    """
    return torch.linalg.inv(operations.double()).round().long()


@cache
def bravais(kind: LatticeKind) -> Bravais:
    """Look up a lattice by its name.

    Parameters
    ----------
    kind : {"chain", "square", "triangular", "cubic"}
        The name.

    Returns
    -------
    Bravais
        The lattice with its nearest and next-nearest neighbors; the same object at every call.

    Raises
    ------
    ValueError
        For another name.
    """
    if kind not in get_args(LatticeKind):
        raise ValueError(f"unknown lattice {kind!r}{nearest(kind, get_args(LatticeKind))}")
    if kind == "triangular":
        cell = torch.tensor([[1.0, 0.0], [0.5, 0.75**0.5]], dtype=torch.float64)
    else:
        cell = torch.eye({"chain": 1, "square": 2, "cubic": 3}[kind], dtype=torch.float64)
    proper, reflection = _proper(kind)
    operations = torch.cat([proper, proper @ reflection])
    first = torch.zeros(len(cell), dtype=torch.int64)
    first[0] = 1
    second = {"chain": [2], "square": [1, 1], "triangular": [1, 1], "cubic": [1, 1, 0]}[kind]
    shells = tuple(_orbit(operations, start) for start in (first, torch.tensor(second)))
    return Bravais(kind, cell, operations, shells)


def _proper(kind: str) -> tuple[Tensor, Tensor]:
    """The proper rotations (R, d, d), identity first, and a reflection (d, d)."""
    if kind == "chain":
        return torch.tensor([[[1]]]), torch.tensor([[-1]])
    if kind == "cubic":
        rotations = []
        for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
            matrix = torch.zeros(3, 3, dtype=torch.int64)
            matrix[range(3), order] = torch.tensor(signs)
            if round(torch.linalg.det(matrix.double()).item()) == 1:
                rotations.append(matrix)
        return torch.stack(rotations), -torch.eye(3, dtype=torch.int64)
    turn = torch.tensor([[0, -1], [1, 0]] if kind == "square" else [[0, -1], [1, 1]])
    powers = [torch.eye(2, dtype=torch.int64)]
    for _ in range(3 if kind == "square" else 5):
        powers.append(turn @ powers[-1])
    return torch.stack(powers), torch.tensor([[0, 1], [1, 0]])


def _orbit(operations: Tensor, start: Tensor) -> Tensor:
    return torch.tensor(list(dict.fromkeys(tuple(n) for n in (operations @ start).tolist())))


def _places(star: Tensor, wanted: Tensor) -> Tensor:
    return (wanted[:, None] == star).all(-1).long().argmax(1)
