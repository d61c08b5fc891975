"""Rotations and reflections."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.config.ranges import Dimension
from symdiff.groups.base import Group
from symdiff.random import Generator, normal
from symdiff.state import Real, State


class Orthogonal(Group[Tensor]):
    """Rotations and reflections, O(d), or rotations alone, SO(d): an element is (B, d, d) float64 matrices.

    Every channel of every Real field with ``vector == dim`` is multiplied by the matrix; other fields stay.

    Parameters
    ----------
    dim : int
        d, the dimension of the vectors: at least 1.
    special : bool
        Whether there are rotations alone.

    Raises
    ------
    ValueError
        Where ``dim`` is less than 1.
    """

    def __init__(self, dim: Dimension = 3, special: bool = False) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        self.dim, self.special = dim, special

    def identity(self, mask: Tensor) -> Tensor:
        return torch.eye(self.dim, dtype=torch.float64, device=mask.device).repeat(len(mask), 1, 1)

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw from Haar's measure.

        The orthogonal factor of a Gaussian matrix, the other factor's diagonal made positive.

        References
        ----------
        Mezzadri: How to generate random matrices from the classical compact groups (2007).
        """
        gaussian = normal((len(mask), self.dim, self.dim), generator, self.identity(mask))
        q, r = torch.linalg.qr(gaussian)
        q = q * r.diagonal(dim1=1, dim2=2).sign()[:, None, :]
        if self.special:
            side = torch.linalg.det(q).sign()
            q = torch.cat([q[..., :1] * side[:, None, None], q[..., 1:]], -1)
        return q

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return g @ h

    def inverse(self, g: Tensor) -> Tensor:
        return g.mT.contiguous()

    def act(self, g: Tensor, x: State) -> State:
        values = {}
        for name, field in x.schema.items():
            value = x[name]
            if isinstance(field, Real) and field.vector == self.dim:
                value = turn(g.to(value), value)
            values[name] = value
        return State(x.mask, x.schema, values)


def turn(matrix: Tensor, vectors: Tensor) -> Tensor:
    """Multiply vectors by one matrix a structure.

    Summed in the precision of the vectors also under autocast.

    Parameters
    ----------
    matrix : Tensor, (B, c, d)
        The matrices.
    vectors : Tensor, (B, ..., d)
        The vectors of every structure.

    Returns
    -------
    Tensor, (B, ..., c)
        The products.
    """
    return (matrix.view(len(matrix), *[1] * (vectors.ndim - 2), *matrix.shape[1:]) * vectors[..., None, :]).sum(-1)
