"""Permutations of labels: spin flips, color shifts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symdiff.config.ranges import Index, Points
from symdiff.groups.base import Group
from symdiff.groups.permutation_group import PermutationGroup
from symdiff.random import Generator
from symdiff.state import Categorical, Logits, State, extent


class Relabel(Group[Tensor]):
    """A group of permutations of labels on chosen fields: spin flips, color shifts.

    An element is (B, K) preimages, K = ``classes``: logits move as (g·l)_k = l_{g[k]}, labels as g·x = g⁻¹[x], so that
    the one-hot vector of a label moves as logits do. Labels from K on (the mask of a masked process) are fixed.

    Parameters
    ----------
    fields : sequence of str
        The fields that move together. A structure that lacks one of them, such as a code, is not moved by it.
    classes : int
        K: labels 0..K-1 are permuted.
    generators : sequence of sequence of int
        Permutations of 0..K-1 that generate the group, as preimages.

    Raises
    ------
    ValueError
        For ``fields`` that are one name, or a generator that is no permutation.
    """

    def __init__(self, fields: Sequence[str], classes: Points, generators: Sequence[Sequence[Index]]) -> None:
        if isinstance(fields, str):
            raise ValueError(f"fields needs a list of names, got {fields!r}")
        self.fields, self.classes = list(fields), classes
        self._labels = PermutationGroup(classes, generators)

    @property
    def order(self) -> int:
        """The number of elements."""
        return self._labels.order

    def elements(self) -> Tensor:
        """List all elements, (order, K) int64; for small groups."""
        return self._labels.elements()

    def count(self, nodes: int) -> int:
        """Count the elements.

        Parameters
        ----------
        nodes : int
            Not used; groups that move nodes need it.

        Returns
        -------
        int
            The group's order.
        """
        return self.order

    def from_number(self, number: Tensor, nodes: int) -> Tensor:
        """Make elements from their numbers, in the order of ``elements``.

        Parameters
        ----------
        number : Tensor, (M,) int64
            From 0 to ``count`` - 1.
        nodes : int
            Not used; groups that move nodes need it.

        Returns
        -------
        Tensor, (M, K) int64
            The elements as preimages.
        """
        return self._labels.from_number(number, nodes)

    def number(self, g: Tensor, nodes: int) -> Tensor:
        """Number elements, in the order of ``elements``.

        Parameters
        ----------
        g : Tensor, (M, K) int64
            Elements as preimages.
        nodes : int
            Not used; groups that move nodes need it.

        Returns
        -------
        Tensor, (M,) int64
            From 0 to ``count`` - 1.
        """
        return self._labels.number(g, nodes)

    def identity(self, mask: Tensor) -> Tensor:
        return self._labels.identity(self._alphabet(mask))

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        return self._labels.sample(self._alphabet(mask), generator)

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return self._labels.compose(g, h)

    def inverse(self, g: Tensor) -> Tensor:
        return self._labels.inverse(g)

    def act(self, g: Tensor, x: State) -> State:
        values = dict(x.values)
        for name in self.fields:
            field = x.schema.get(name)
            if not isinstance(field, Categorical | Logits):
                continue
            if field.classes < self.classes:
                raise ValueError(f"field {name!r} needs at least {self.classes} labels to permute, got {field.classes}")
            rest = torch.arange(self.classes, field.classes, device=g.device).expand(len(g), -1)
            labels = torch.cat([g, rest], 1)
            flat = x[name].reshape(len(g), -1)
            if isinstance(field, Categorical):
                moved = self.inverse(labels).gather(1, flat).view(x[name].shape)
                values[name] = torch.where(extent(field, x.mask), moved, x[name])  # padding is no label
            else:
                places = labels.view(-1, *[1] * (x[name].ndim - 2), field.classes).expand(x[name].shape)
                values[name] = x[name].gather(-1, places)
        return State(x.mask, x.schema, values)

    def _alphabet(self, mask: Tensor) -> Tensor:
        return mask.new_ones(len(mask), self.classes)
