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
    """A group that acts on structures from the left.

    ``act(compose(g, h), x) == act(g, act(h, x))``; permutations are stored as preimages, (g·x)_i = x_{g[i]}.
    """

    @abstractmethod
    def identity(self, mask: Tensor) -> E:
        """Make the neutral element for every structure.

        Parameters
        ----------
        mask : Tensor, (B, N) bool
            Real nodes of every structure.

        Returns
        -------
        Element
            B neutral elements.
        """

    @abstractmethod
    def sample(self, mask: Tensor, generator: Generator | None = None) -> E:
        """Draw from the Haar (uniform) distribution, independently for every structure.

        Parameters
        ----------
        mask : Tensor, (B, N) bool
            Real nodes of every structure.
        generator : Generator, optional
            The source of randomness: one stream a structure, or torch's.

        Returns
        -------
        Element
            B elements.
        """

    @abstractmethod
    def compose(self, g: E, h: E) -> E:
        """Compute the product gh: first h, then g.

        Parameters
        ----------
        g, h : Element
            B elements each.

        Returns
        -------
        Element
            The products, structure by structure.
        """

    @abstractmethod
    def inverse(self, g: E) -> E:
        """Compute the element with g⁻¹g = 1.

        Parameters
        ----------
        g : Element
            B elements.

        Returns
        -------
        Element
            Their inverses.
        """

    @abstractmethod
    def act(self, g: E, x: State) -> State:
        """Compute g·x; fields that the group does not move pass unchanged, padding keeps its place.

        Parameters
        ----------
        g : Element
            B elements, one for every structure.
        x : State
            B structures.

        Returns
        -------
        State
            The moved structures, with the mask and the schema of x.
        """
