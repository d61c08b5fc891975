"""A group that acts on structures from the left."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from torch import Tensor

from symdiff.random import Generator
from symdiff.state import State

Element = Tensor | tuple[Any, ...]
"""A batch of group elements: one for every structure of a batch. What it holds is the group's business."""


E = TypeVar("E", bound=Element)


class Group(ABC, Generic[E]):
    """``act(compose(g, h), x) == act(g, act(h, x))``; permutations are stored as preimages, (g·x)_i = x_{g[i]}."""

    @abstractmethod
    def identity(self, mask: Tensor) -> E:
        """The neutral element for every structure of ``mask`` (B, N)."""

    @abstractmethod
    def sample(self, mask: Tensor, generator: Generator | None = None) -> E:
        """Draw from the Haar (uniform) distribution, independently for every structure of ``mask`` (B, N)."""

    @abstractmethod
    def compose(self, g: E, h: E) -> E:
        """The product gh: first h, then g."""

    @abstractmethod
    def inverse(self, g: E) -> E:
        """The element with g⁻¹g = 1."""

    @abstractmethod
    def act(self, g: E, x: State) -> State:
        """g·x; fields that the group does not move pass unchanged, padding keeps its place."""
