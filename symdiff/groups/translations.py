"""Translations of positions."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.config.ranges import Dimension
from symdiff.groups.base import Group
from symdiff.random import Generator, normal
from symdiff.state import Real, State


class Translations(Group[Tensor]):
    """R^d, which moves the vectors of chosen node fields: an element is (B, d) float64.

    The group is not compact and has no uniform distribution: ``sample`` draws from a normal one, which serves to test
    equivariance.

    Parameters
    ----------
    dim : int
        d, the dimension of the vectors: at least 1.
    fields : tuple of str
        The fields that move: positions; not velocities.
    spread : float
        The standard deviation of what ``sample`` draws, in the unit of the positions.

    Raises
    ------
    ValueError
        Where ``dim`` is less than 1 or ``spread`` not positive.
    """

    def __init__(self, dim: Dimension = 3, fields: tuple[str, ...] = ("position",), spread: float = 3.0) -> None:
        if dim < 1 or spread <= 0:
            raise ValueError(f"expected dim >= 1 and spread > 0, got {dim} and {spread}")
        self.dim, self.fields, self.spread = dim, tuple(fields), spread

    def identity(self, mask: Tensor) -> Tensor:
        return torch.zeros(len(mask), self.dim, dtype=torch.float64, device=mask.device)

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        return self.spread * normal((len(mask), self.dim), generator, self.identity(mask))

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return g + h

    def inverse(self, g: Tensor) -> Tensor:
        return -g

    def act(self, g: Tensor, x: State) -> State:
        values = {}
        for name, field in x.schema.items():
            value = x[name]
            if name in self.fields and isinstance(field, Real) and field.axes == "node" and field.vector == self.dim:
                value = torch.where(x.mask[:, :, None, None], value + g.to(value)[:, None, None], 0.0)
            values[name] = value
        return State(x.mask, x.schema, values)
