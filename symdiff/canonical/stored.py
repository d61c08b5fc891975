"""Structures that the data set already keeps in canonical order."""

from __future__ import annotations

from torch import Tensor

from symdiff.canonical.base import Canonicalizer
from symdiff.groups.permutations import Symmetric
from symdiff.random import Generator
from symdiff.state import State


class Stored(Canonicalizer):
    """The stored order is the canonical one: the identity carries the representative to the structure.

    It has no parameters. For training data that were put into a canonical order once, when the data set was built.
    Sampling returns the identity, one fixed element of the coset Aut(x) that the inversion kernel is uniform on. For
    training an equivariant denoiser f this is all that is needed: if k in Aut(x0) then x0 = k·x0, noising commutes with
    relabelling, and so f(x_t, k·v) has the distribution of f(k·x_t, k·v) = k·f(x_t, v), whose loss against x0 = k·x0 is
    the loss of f(x_t, v). Averaging over the coset changes no gradient in expectation. Where the draw itself is the
    result (prediction from a symmetric condition, decoding) or where structures arrive in any order, take ``Nodes``.
    """

    def __init__(self) -> None:
        self.group = Symmetric()

    def element(self, x: State) -> Tensor:
        return self.group.identity(x.mask)

    def sample(self, x: State, generator: Generator | None = None) -> Tensor:
        """Return the identity, for the reason above: nothing is drawn and ``generator`` is not advanced."""
        return self.element(x)
