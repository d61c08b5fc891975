"""Several groups that act on different aspects of a structure at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from symdiff.groups.base import Element, Group
from symdiff.random import Generator
from symdiff.state import State


class Product(Group):
    """The direct product of groups whose actions commute: permutations with rotations, lattice symmetries with flips.

    An element is a tuple with an element of every factor. Factors that move the same axis of the same field do not
    commute in general, and then this is no group action: ``symdiff.testing.action_law_error`` tells.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)

    def count(self, nodes: int) -> int:
        """The group's order on structures of ``nodes`` nodes, where every factor tells its own."""
        return math.prod(group.count(nodes) for group in self.groups)

    def numbered(self, number: Tensor, nodes: int) -> tuple[Element, ...]:
        """The elements with the numbers (M,) from 0 to ``count`` - 1; those of the last factor run fastest."""
        found = []
        for group in reversed(self.groups):
            count = group.count(nodes)
            found.append(group.numbered(number % count, nodes))
            number = number // count
        return tuple(reversed(found))

    def number(self, g: Element, nodes: int) -> Tensor:
        """The numbers of elements, (M,) int64."""
        number = 0
        for group, a in zip(self.groups, g, strict=True):
            number = number * group.count(nodes) + group.number(a, nodes)
        return number

    def identity(self, mask: Tensor) -> tuple[Element, ...]:
        return tuple(group.identity(mask) for group in self.groups)

    def sample(self, mask: Tensor, generator: Generator | None = None) -> tuple[Element, ...]:
        return tuple(group.sample(mask, generator) for group in self.groups)

    def compose(self, g: Element, h: Element) -> tuple[Element, ...]:
        return tuple(group.compose(a, b) for group, a, b in zip(self.groups, g, h, strict=True))

    def inverse(self, g: Element) -> tuple[Element, ...]:
        return tuple(group.inverse(a) for group, a in zip(self.groups, g, strict=True))

    def act(self, g: Element, x: State) -> State:
        for group, a in zip(self.groups, g, strict=True):
            x = group.act(a, x)
        return x
