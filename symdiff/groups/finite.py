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

    Implemented by ``Space``, ``Relabel``, ``PermutationGroup`` and by a ``DirectProduct`` of these.
    """

    def count(self, nodes: int) -> int:
        """Count the elements.

        Parameters
        ----------
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        int
            The group's order on such structures.
        """
        ...

    def from_number(self, number: Tensor, nodes: int) -> Any:
        """Make elements from their numbers.

        Parameters
        ----------
        number : Tensor, (M,) int64
            From 0 to ``count`` - 1.
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        Element
            M elements.
        """
        ...

    def number(self, g: Any, nodes: int) -> Tensor:
        """Number elements: the inverse of ``from_number``.

        Parameters
        ----------
        g : Element
            M elements.
        nodes : int
            The number of nodes of the structures.

        Returns
        -------
        Tensor, (M,) int64
            From 0 to ``count`` - 1.
        """
        ...

    def inverse(self, g: Any) -> Any:
        """Invert elements, as ``Group.inverse`` does.

        Parameters
        ----------
        g : Element
            B elements.

        Returns
        -------
        Element
            Their inverses.
        """
        ...

    def act(self, g: Any, x: State) -> State:
        """Compute g·x, as ``Group.act`` does.

        Parameters
        ----------
        g : Element
            B elements, one for every structure.
        x : State
            B structures.

        Returns
        -------
        State
            The moved structures.
        """
        ...


def images(group: Numbered, x: State) -> Iterator[tuple[Tensor, State]]:
    """Make all images g·x of one structure, a portion at a time.

    Parameters
    ----------
    group : Numbered
        A finite group.
    x : State
        One structure.

    Yields
    ------
    number : Tensor, (M,) int64
        The numbers of the elements g of the portion.
    moved : State
        The M structures g·x.

    Raises
    ------
    ValueError
        For more than one structure.
    """
    if len(x) != 1:
        raise ValueError(f"the images of one structure are made at a time, got {len(x)}")
    nodes = x.mask.shape[1]
    rows = max(1, PORTION // max(value.numel() for value in (x.mask, *x.values.values())))
    for number in torch.arange(group.count(nodes), device=x.device).split(rows):
        yield number, group.act(group.from_number(number, nodes), x.select([0] * len(number)))


def stabilizer(group: Numbered, x: State) -> Tensor:
    """Find the elements that leave a structure as it is.

    Parameters
    ----------
    group : Numbered
        A finite group; all of its elements are tried.
    x : State
        One structure.

    Returns
    -------
    Tensor, (S,) int64
        The numbers of these elements, ascending.
    """
    return torch.cat([number[_same(moved, x)] for number, moved in images(group, x)])


def orbit(group: Numbered, x: State) -> State:
    """Find all different images of a structure, each once.

    Parameters
    ----------
    group : Numbered
        A finite group; all of its elements are tried.
    x : State
        One structure.

    Returns
    -------
    State
        The images, in the order of the first element that makes each.
    """
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
