"""Noise injection on lattices with a flip."""

from __future__ import annotations

from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.config.ranges import Width
from symdiff.random import Generator, normal
from symdiff.state import Logits, Real, Schema, State


class SiteNoise(SymmetryBreaker):
    """Noise as z: ``code`` (B, N, dim) and ``sign`` (B, N, 2) = (ε, −ε), independent of the structure.

    Both are standard normal. ``sign`` moves with the labels, so that noise can break a flip as well.

    Parameters
    ----------
    dim : int
        Channels of ``code``.
    """

    anchor = "none"

    @register_to_config
    def __init__(self, dim: Width = 16) -> None:
        super().__init__()
        self.dim = dim

    @property
    def schema(self) -> Schema:
        return {"code": Real("node", self.dim), "sign": Logits("node", 2)}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return self.prior(x.mask, generator)

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        noise = normal((*mask.shape, self.dim + 1), generator, mask) * mask[..., None]
        sign = noise[..., :1]
        return State(mask, self.schema, {"code": noise[..., 1:], "sign": sign * sign.new_tensor([1.0, -1.0])})
