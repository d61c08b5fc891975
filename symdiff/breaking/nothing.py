"""No symmetry breaking."""

from __future__ import annotations

from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.random import Generator
from symdiff.state import Schema, State


class Nothing(SymmetryBreaker):
    """z is empty: the denoiser is an equivariant function of x_t alone."""

    anchor = "none"

    @register_to_config
    def __init__(self) -> None:
        super().__init__()

    @property
    def schema(self) -> Schema:
        return {}

    def sample(self, x: State, generator: Generator | None = None) -> State:
        return State(x.mask, {}, {})

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        return State(mask, {}, {})
