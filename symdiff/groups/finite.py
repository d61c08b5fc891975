"""Orbits and stabilizers of structures under finite groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from symdiff.state import State, collate

PORTION = 1 << 22
"""Values that are looked at together."""


@runtime_checkable
class Numbered(Protocol):
    """A finite group whose elements can be made from numbers.

    ``Space``, ``Relabel``, ``PermutationGroup``, their ``DirectProduct``.
    """

    def count(self, nodes: int) -> int: ...

    def from_number(self, number: Tensor, nodes: int) -> Any: ...

    def number(self, g: Any, nodes: int) -> Tensor: ...

    def inverse(self, g: Any) -> Any: ...

    def act(self, g: Any, x: State) -> State: ...


def images(group: Numbered, x: State) -> Iterator[tuple[Tensor, State]]:
    """All g·x of one structure x, portion by portion: the numbers of g (M,), and M structures."""
    if len(x) != 1:
        raise ValueError(f"the images of one structure are made at a time, got {len(x)}")
    nodes = x.mask.shape[1]
    rows = max(1, PORTION // max(value.numel() for value in (x.mask, *x.values.values())))
    for number in torch.arange(group.count(nodes), device=x.device).split(rows):
        yield number, group.act(group.from_number(number, nodes), x.select([0] * len(number)))


def stabilizer(group: Numbered, x: State) -> Tensor:
    """The numbers of the elements that leave the structure x (one row) as it is, (S,) int64."""
    return torch.cat([number[_same(moved, x)] for number, moved in images(group, x)])


def orbit(group: Numbered, x: State) -> State:
    """All different images of the structure x (one row), each once, by the first element that makes it."""
    every = collate([moved for _, moved in images(group, x)])
    flat = torch.cat([every[name].double().flatten(1) for name in every.schema], 1)
    classes = flat.unique(dim=0, return_inverse=True)[1]
    first = torch.full((int(classes.max()) + 1,), len(every), device=x.device)
    first.scatter_reduce_(0, classes, torch.arange(len(every), device=x.device), "amin")
    return every.select(first.sort().values)


def _same(moved: State, x: State) -> Tensor:
    same = torch.ones(len(moved), dtype=torch.bool, device=x.device)
    for name in x.schema:
        same &= (moved[name] == x[name]).flatten(1).all(1)
    return same
