"""The bonds of periodic lattices, and which lattice has given bonds."""

from __future__ import annotations

from functools import cache
from itertools import product
from math import prod

import numpy as np
import torch

from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.groups.torus import torus

LATTICES = ("chain", "square", "triangular", "cubic")
MOST_SITES = 4096


@cache
def bonds_of(kind: str, sides: tuple[int, ...]) -> np.ndarray:
    """The bonds of a torus, each once with the smaller site first and sorted, (E, 2) int16.

    Parameters
    ----------
    kind : str
        One of ``LATTICES``.
    sides : tuple of int
        Sites along each axis, at least 3.
    """
    start, end, _ = torus(kind, sides).bonds(len(bravais(kind).directions(1)))
    ends = torch.stack([torch.minimum(start, end), torch.maximum(start, end)], 1)
    return ends.unique(dim=0).numpy().astype(np.int16)


def recognize(bonds: np.ndarray, nodes: int) -> tuple[str, tuple[int, ...]]:
    """The kind and the sides of the torus that has these bonds, (E, 2) sorted as ``bonds_of`` has them.

    Parameters
    ----------
    bonds : numpy.ndarray
        (E, 2) int16.
    nodes : int
        The number of sites.

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
