"""SymPE: a sampled group element as a positional encoding."""

from __future__ import annotations

from collections.abc import Mapping

from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.breaking.base import Anchor, SymmetryBreaker
from symdiff.breaking.codes import Code
from symdiff.canonical.base import Canonicalizer
from symdiff.config.recipe import build
from symdiff.random import Generator
from symdiff.state import Schema, State


class SymPE(SymmetryBreaker):
    """z = g̃·v with g̃ from the inversion kernel and v a learned code. For invariant data g̃ is uniform on the group.

    Parameters
    ----------
    canonicalizer : Canonicalizer or Mapping
        Draws g̃ given a structure.
    code : Code or Mapping
        The learned v, of trivial stabilizer.
    anchor : {"data", "prior", "none"}
        The structure that g̃ is drawn for: see ``SymmetryBreaker``.

    References
    ----------
    Lawrence, Portilheiro, Zhang, Kaba: Improving Equivariant Networks with Probabilistic Symmetry Breaking (ICLR 2025,
    https://arxiv.org/abs/2503.21985).
    """

    @register_to_config
    def __init__(self, canonicalizer: Canonicalizer | Mapping, code: Code | Mapping, anchor: Anchor = "data") -> None:
        super().__init__()
        self.canonicalizer = build(Canonicalizer, canonicalizer)
        self.code = build(Code, code)
        self.anchor = anchor

    @property
    def schema(self) -> Schema:
        return self.code.schema

    def sample(self, x: State, generator: Generator | None = None) -> State:
        group = self.canonicalizer.group
        return group.act(self.canonicalizer.sample(x, generator), self.code(x.mask))

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        group = self.canonicalizer.group
        return group.act(group.sample(mask, generator), self.code(mask))
