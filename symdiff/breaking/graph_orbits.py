"""Colors of ordered pairs under the automorphisms of a graph that is given with each structure."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.breaking.base import SymmetryBreaker
from symdiff.config.ranges import Width
from symdiff.random import Generator
from symdiff.state import Real, Schema, State

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Steps of the walks whose probabilities tell orbits apart."""
FLOOR = 1e-8
"""Probabilities far below it count as none."""


class GraphOrbits(SymmetryBreaker):
    """z_ij = a learned function of the color of the ordered pair (i, j) in a given graph.

    The color is the logarithm of the probabilities that random walks on the graph which stay where they are half of the
    time lead from i to j in 1 to 64 steps. They are the same for all pairs of an orbit under the automorphisms of the
    graph, so a permutation-equivariant network f(x, z) is equivariant under all permutations as long as they move the
    graph, too, and for one graph under its automorphisms: one set of weights for every lattice, also for those that it
    was not trained on. Orbits that the walks do not tell apart share a color, which leaves more symmetry, never less.
    ``Orbits`` is for one group that is known beforehand, with a vector for each orbit.

    Parameters
    ----------
    field : str
        The labels of pairs that say where an edge is, other than 0. They must be given, not generated.
    dim : int
        Channels of a color.
    width : int
        Hidden channels of the learned function.

    References
    ----------
    Goel, Lim, Lawrence, Jegelka, Huang: Any-Subgroup Equivariant Networks via Symmetry Breaking (ICLR 2026).
    """

    anchor = "data"

    @register_to_config
    def __init__(self, field: str, dim: Width = 16, width: Width = 32) -> None:
        super().__init__()
        self.field, self.dim = field, dim
        self.layers = nn.Sequential(nn.Linear(len(LENGTHS), width), nn.SiLU(), nn.Linear(width, dim))

    @property
    def schema(self) -> Schema:
        return {"orbit": Real("pair", self.dim)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        if self.field not in x.schema or x.schema[self.field].axes != "pair" or x[self.field].is_floating_point():
            raise ValueError(f"breaker: expected labels of pairs in {self.field!r}, got {sorted(x.schema)}")
        weight = next(self.layers.parameters())
        pairs = x.mask[:, :, None] & x.mask[:, None]
        # most structures of a batch share their graph: 2 is no pair, 1 an edge, 0 none
        graphs, row = torch.where(pairs, (x[self.field] != 0).long(), 2).unique(dim=0, return_inverse=True)
        seen = graphs.diagonal(dim1=1, dim2=2) != 2
        colors = walk_colors(graphs == 1, seen).to(weight.dtype)
        orbit = self.layers(colors) * (graphs != 2)[..., None]
        return State(x.mask, self.schema, {"orbit": orbit[row]})

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        raise ValueError("colors of pairs belong to a graph: there are none before one is given")


def walk_colors(edges: Tensor, mask: Tensor) -> Tensor:
    """Logarithms of the probabilities of random walks, about −1 to 1, (B, N, N, 12) in double precision.

    Parameters
    ----------
    edges : Tensor
        (B, N, N) bool, symmetric.
    mask : Tensor
        (B, N) bool, where nodes are.
    """
    edges = (edges & mask[:, :, None] & mask[:, None]).double()
    here = torch.diag_embed(torch.ones_like(edges[:, 0]))
    degree = edges.sum(-1, keepdim=True)
    step = torch.where(degree > 0, edges / degree.clamp(min=1), here)
    lazy = (here + step) / 2
    powers = {0: here}
    for length in LENGTHS:
        # the longest walk so far, and what is missing: 1, 1 + 1, 2 + 1, 2 + 2, 4 + 2, ...
        before = max(powers)
        powers[length] = powers[before] @ (lazy if length - before == 1 else powers[length - before])
    logs = [(powers[length] + FLOOR).log() for length in LENGTHS]
    return torch.stack(logs, -1) / 10 + 1
