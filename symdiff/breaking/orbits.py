"""Orbits: colors of ordered pairs that leave an equivariant network only a chosen subgroup."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.breaking.base import SymmetryBreaker
from symdiff.breaking.group_text import read_group
from symdiff.config.ranges import Width
from symdiff.config.recipe import build
from symdiff.groups.named import spell
from symdiff.random import Generator
from symdiff.state import Real, Schema, State

MOST_COLORS = 1 << 16


class Orbits(SymmetryBreaker):
    """z_ij = a learned vector for the orbit of the ordered pair (i, j) under a permutation group H.

    A permutation-equivariant network f(x, z) is then equivariant exactly under the permutations that keep the colors,
    the 2-closure of H. The pairs are ordered: the colors of ``cyclic n`` are not symmetric, and a network that
    symmetrizes them is equivariant under ``dihedral n``. Learned vectors that come to agree merge their orbits, so the
    symmetry that is left may grow. With ``breaker`` z also holds what that breaker draws, so the subgroup goes together
    with SymPE.

    Parameters
    ----------
    group : str
        A name as ``read_group`` reads it: ``cyclic 10``, ``wreath (symmetric 5, symmetric 2)``, ``torus 8 8``,
        ``automorphisms of grid.graphml``.
    dim : int
        Channels of a color.
    by : {"pairs", "nodes"}
        Orbits of ordered pairs, or pairs of orbits of nodes (the diagonal apart), which leave the product of the
        symmetric groups of the orbits of nodes.
    breaker : SymmetryBreaker, optional
        What else breaks the symmetry.

    Raises
    ------
    ValueError
        For another ``by``, or a group with more than 2^16 orbits.

    References
    ----------
    Goel, Lim, Lawrence, Jegelka, Huang: Any-Subgroup Equivariant Networks via Symmetry Breaking (ICLR 2026,
    https://arxiv.org/abs/2603.19486).
    """

    @register_to_config
    def __init__(
        self, group: str, dim: Width = 16, by: str = "pairs", breaker: SymmetryBreaker | Mapping | None = None
    ) -> None:
        super().__init__()
        self.group = read_group(group)
        if "automorphisms" in group.lower():
            self.register_to_config(group=spell(self.group))  # a checkpoint does not need the file
        if by not in ("pairs", "nodes"):
            raise ValueError(f"by: expected pairs or nodes, got {by!r}")
        colors = self.group.pair_orbits() if by == "pairs" else color_by_nodes(self.group.orbits())
        count = int(colors.max()) + 1
        if count > MOST_COLORS:
            raise ValueError(f"group {group!r} has {count} orbits of pairs, expected at most {MOST_COLORS}")
        self.dim = dim
        self.table = nn.Parameter(torch.randn(count, dim))
        self.register_buffer("colors", colors, persistent=False)
        self.breaker = None if breaker is None else build(SymmetryBreaker, breaker)
        self.anchor = "none" if self.breaker is None else self.breaker.anchor

    @property
    def schema(self) -> Schema:
        more = {} if self.breaker is None else self.breaker.schema
        return {"orbit": Real("pair", self.dim), **more}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return self._join(x.mask, None if self.breaker is None else self.breaker.sample(x, generator))

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        return self._join(mask, None if self.breaker is None else self.breaker.prior(mask, generator))

    def _join(self, mask: Tensor, drawn: State | None) -> State:
        nodes = self.group.nodes
        if mask.shape[1] != nodes or not bool(mask.all()):
            sizes = sorted(set(mask.sum(1).tolist()))
            raise ValueError(
                f"group of degree {nodes}: expected structures of {nodes} nodes, got {sizes} padded to {mask.shape[1]}"
            )
        colored = self.table[self.colors].expand(len(mask), -1, -1, -1)
        values = {} if drawn is None else dict(drawn.values)
        return State(mask, self.schema, {"orbit": colored, **values})


def color_by_nodes(orbits: Tensor) -> Tensor:
    """Color ordered pairs by the orbits of their nodes; the diagonal has colors of its own.

    Parameters
    ----------
    orbits : Tensor, (n,) int64
        The orbit of every node.

    Returns
    -------
    Tensor, (n, n) int64
        The colors, from 0.
    """
    pairs = orbits[:, None] * (orbits.max() + 1) + orbits
    diagonal = torch.eye(len(orbits), dtype=torch.long)
    return torch.unique(2 * pairs + diagonal, return_inverse=True)[1]
