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
    """A lattice without end: sites are integer vectors n, at the place Σ_a n_a · ``cell[a]``.

    ``operations`` (P, d, d) int64: the point group; the first half are the proper rotations (in two dimensions the
    powers of the smallest one), the second half are the same ones after one reflection; the identity is the first of
    all. ``shells``: the directions (D, d) int64 from a site to its nearest, then to its next-nearest neighbors.
    ``cell`` (d, d) float64, unit length.
    """

    kind: LatticeKind
    cell: Tensor
    operations: Tensor
    shells: tuple[Tensor, ...]

    @property
    def dim(self) -> int:
        return self.cell.shape[0]

    def directions(self, shells: int | None = None) -> Tensor:
        """The directions of the first ``shells`` shells (default: all), (D, d) int64."""
        if shells is not None and not 1 <= shells <= len(self.shells):
            raise ValueError(f"shells must be 1 to {len(self.shells)}, got {shells}")
        return torch.cat(self.shells[:shells])

    def star(self, directions: int | Tensor) -> Tensor:
        """The first ``directions`` directions, which must be whole shells, (D, d) int64.

        Directions (D, d) of one's own, each with its opposite, pass as they are.

        Raises
        ------
        ValueError
            For directions that are no whole shells, or of one's own that are none of a star.
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
        """For every direction of a star the place of its opposite, (D,) int64."""
        star = self.star(directions)
        return _places(star, -star)

    def permute_star(self, directions: int) -> Tensor:
        """How the point group permutes a star, as preimages, (P, D) int64: direction l is the image of ``[p, l]``."""
        star = self.star(directions)
        back = torch.einsum("pab,lb->pla", inverses(self.operations), star)
        return torch.stack([_places(star, one) for one in back])

    def rotations(self) -> Tensor:
        """The operations as orthogonal matrices, (P, d, d) float64."""
        basis = self.cell.T
        return basis @ self.operations.double() @ torch.linalg.inv(basis)


def inverses(operations: Tensor) -> Tensor:
    """Inverses of integer matrices of determinant ±1, (P, d, d) int64."""
    return torch.linalg.inv(operations.double()).round().long()


@cache
def bravais(kind: LatticeKind) -> Bravais:
    """The lattice called ``kind``.

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
