"""A code for lattices of any size: where a site is, which way the lattice lies, which of two labels is which."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from symdiff.breaking.codes import Code
from symdiff.config.ranges import Side, Width
from symdiff.groups.bravais import LatticeKind, bravais
from symdiff.groups.torus import Torus, torus, torus_of
from symdiff.state import Logits, Real, Schema, Star, State

HARMONICS = 3


class SiteCode(Code):
    """A code v with trivial stabilizer under ``Space``, and under a flip that moves ``sign``.

    ``place`` (B, N, d): the coordinates n_a/L_a, different at every site; ``code`` (B, N, dim): a learned function of
    waves of them, and of waves with periods of 2 and 4 sites; ``compass`` (B, N, D, 1): one number for every direction
    of the star; ``sign`` (B, N, 2): (1, −1). All but ``code`` are fixed, so that the stabilizer is trivial whatever is
    learned.

    Parameters
    ----------
    lattice : {"chain", "square", "triangular", "cubic"}
        The kind of lattice, of d dimensions and D nearest neighbors.
    sides : sequence of int, optional
        L, the lengths of the torus in sites; equal sides by default.
    dim : int
        Channels of ``code``.
    """

    def __init__(self, lattice: LatticeKind = "square", sides: Sequence[Side] | None = None, dim: Width = 16) -> None:
        super().__init__()
        self.lattice, self.sides, self.dim = bravais(lattice), None if sides is None else tuple(sides), dim
        self.directions = len(self.lattice.shells[0])
        features = self.lattice.dim * (2 * HARMONICS + 3)
        self.learned = nn.Sequential(nn.Linear(features, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))

    @property
    def schema(self) -> Schema:
        return {
            "place": Real("node", self.lattice.dim),
            "code": Real("node", self.dim),
            "compass": Star("node", self.directions),
            "sign": Logits("node", 2),
        }

    def forward(self, mask: Tensor) -> State:
        kind, nodes = self.lattice.kind, mask.shape[1]
        piece = torus_of(kind, nodes) if self.sides is None else torus(kind, self.sides, nodes)
        like = next(self.learned.parameters())
        place = (piece.positions() / torch.tensor(piece.sides)).to(like)
        compass = torch.linspace(-1, 1, self.directions).to(like)
        values = {
            "place": place,
            "code": self.learned(waves(piece).to(like)),
            "compass": compass[:, None].expand(nodes, -1, -1),
            "sign": torch.tensor([1.0, -1.0]).to(like).expand(nodes, -1),
        }
        return State(mask, self.schema, {name: value.expand(len(mask), *value.shape) for name, value in values.items()})


def waves(piece: Torus) -> Tensor:
    """Compute waves along every axis of a torus: its first harmonics, and periods of 2 and 4 sites.

    Parameters
    ----------
    piece : Torus
        The torus, of N sites in d dimensions.

    Returns
    -------
    Tensor, (N, d·(2·HARMONICS + 3)) float64
        Sines and cosines at every site.
    """
    position = piece.positions().double()
    parts = []
    for k in range(1, HARMONICS + 1):
        angle = 2 * math.pi * k * position / torch.tensor(piece.sides)
        parts += [angle.cos(), angle.sin()]
    quarter = math.pi / 2 * position
    parts += [(2 * quarter).cos(), quarter.cos(), quarter.sin()]
    return torch.cat(parts, 1)
