"""Noise injection: every node gets random features, unrelated to the data."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.config.ranges import Width
from symdiff.random import Generator, normal
from symdiff.state import Real, Schema, State


class Noise(SymmetryBreaker):
    """z: ``code`` (B, N, dim), standard normal and independent of the structure. The baseline of the SymPE paper.

    Parameters
    ----------
    dim : int
        Channels of a node's noise.
    """

    anchor = "none"

    @register_to_config
    def __init__(self, dim: Width = 16) -> None:
        super().__init__()
        self.dim = dim

    @property
    def schema(self) -> Schema:
        return {"code": Real("node", self.dim)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return self.prior(x.mask, generator)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        code = normal((*mask.shape, self.dim), generator, mask)
        return State(mask, self.schema, {"code": torch.where(mask[..., None], code, 0.0)})
