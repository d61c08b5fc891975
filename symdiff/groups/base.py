"""A group that acts on structures from the left."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from symdiff.random import Generator
from symdiff.state import State

Element = Tensor | tuple["Element", ...]
"""A batch of group elements: one for every structure of a batch. What it holds is the group's business."""


class Group(ABC):
    """``act(compose(g, h), x) == act(g, act(h, x))``; permutations are stored as preimages, (g·x)_i = x_{g[i]}."""

    @abstractmethod
    def identity(self, mask: Tensor) -> Element:
        """The neutral element for every structure of ``mask`` (B, N)."""

    @abstractmethod
    def sample(self, mask: Tensor, generator: Generator | None = None) -> Element:
        """Draw from the Haar (uniform) law, independently for every structure of ``mask`` (B, N)."""

    @abstractmethod
    def compose(self, g: Element, h: Element) -> Element:
        """The product gh: first h, then g."""

    @abstractmethod
    def inverse(self, g: Element) -> Element:
        """The element with g⁻¹g = 1."""

    @abstractmethod
    def act(self, g: Element, x: State) -> State:
        """g·x; fields that the group does not move pass unchanged, padding keeps its place."""
