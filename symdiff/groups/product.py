"""Several groups that act on different aspects of a structure at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symdiff.groups.base import Group
from symdiff.groups.finite import Numbered
from symdiff.random import Generator
from symdiff.state import State


class DirectProduct(Group[tuple[Any, ...]]):
    """The direct product of groups whose actions commute: permutations with rotations, lattice symmetries with flips.

    An element is a tuple with an element of every factor.

    Parameters
    ----------
    groups : sequence of Group
        The factors. Those that move the same axis of the same field do not commute in general, and then this is no
        group action: ``symdiff.testing.action_law_error`` tells.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)

    def count(self, nodes: int) -> int:
        """Compute the group's order, the product of those of the factors.

        Parameters
        ----------
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        int
            The order.

        Raises
        ------
        ValueError
            For a factor whose elements have no numbers.
        """
        return math.prod(group.count(nodes) for group in self._numbered_factors())

    def from_number(self, number: Tensor, nodes: int) -> tuple[Any, ...]:
        """Make elements from their numbers; those of the last factor run fastest.

        Parameters
        ----------
        number : Tensor, (M,) int64
            From 0 to ``count`` - 1.
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        tuple
            M elements of every factor.

        Raises
        ------
        ValueError
            For a factor whose elements have no numbers.
        """
        elements = []
        for group in reversed(self._numbered_factors()):
            count = group.count(nodes)
            elements.append(group.from_number(number % count, nodes))
            number = number // count
        return tuple(reversed(elements))

    def number(self, g: tuple[Any, ...], nodes: int) -> Tensor:
        """Number elements; those of the last factor run fastest.

        Parameters
        ----------
        g : tuple
            M elements of every factor.
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        Tensor, (M,) int64
            From 0 to ``count`` - 1.

        Raises
        ------
        ValueError
            For a factor whose elements have no numbers.
        """
        number = torch.zeros((), dtype=torch.int64)
        for group, a in zip(self._numbered_factors(), g, strict=True):
            digit = group.number(a, nodes)
            number = number.to(digit) * group.count(nodes) + digit
        return number

    def _numbered_factors(self) -> list[Numbered]:
        infinite = [type(group).__name__ for group in self.groups if not isinstance(group, Numbered)]
        if infinite:
            raise ValueError(f"the elements of {', '.join(infinite)} have no numbers")
        return [group for group in self.groups if isinstance(group, Numbered)]

    def identity(self, mask: Tensor) -> tuple[Any, ...]:
        return tuple(group.identity(mask) for group in self.groups)

    def sample(self, mask: Tensor, generator: Generator | None = None) -> tuple[Any, ...]:
        return tuple(group.sample(mask, generator) for group in self.groups)

    def compose(self, g: tuple[Any, ...], h: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(group.compose(a, b) for group, a, b in zip(self.groups, g, h, strict=True))

    def inverse(self, g: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(group.inverse(a) for group, a in zip(self.groups, g, strict=True))

    def act(self, g: tuple[Any, ...], x: State) -> State:
        for group, a in zip(self.groups, g, strict=True):
            x = group.act(a, x)
        return x
