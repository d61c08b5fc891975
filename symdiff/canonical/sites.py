"""Exact canonical forms of structures on periodic lattices, by the smallest image under a space group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.canonical.base import Canonicalizer
from symdiff.groups.base import Element, Group
from symdiff.groups.finite import Numbered
from symdiff.groups.lattices import Space
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.groups.torus import Torus
from symdiff.random import Generator, uniform
from symdiff.state import Categorical, Real, State

PORTION = 1 << 18
"""Sites of images that are looked at together."""
BITS = 62


class Sites(Canonicalizer):
    """The canonical structure is the smallest of all its images g⁻¹·x under a space group.

    Two structures share it exactly when a g carries one to the other. Images are compared field by field in the order
    of ``fields``: every site's values as one number, packed into windows of up to 62 bits, windows one after the other.
    An image that has lost is not looked at again. Real values are compared as they are, without a tolerance.

    With the fields of a condition c first, the draw for (c, x0) is the element of the coset γ(c)·Stab(c) that makes x0
    smallest, and the draw for a structure that has c alone is uniform on that coset: ``fields`` that x lacks are passed
    over.

    Parameters
    ----------
    group : Group
        A ``Space``, or the ``DirectProduct`` of a Space and ``Relabel``s.
    fields : sequence of str, optional
        The fields that are compared, in their order; by default all of x, in the order of its schema.

    Raises
    ------
    ValueError
        For another group, or ``fields`` that are one name.
    """

    def __init__(self, group: Group, fields: Sequence[str] | None = None) -> None:
        if isinstance(fields, str):
            raise ValueError(f"fields needs a list of names, got {fields!r}")
        factors = group.groups if isinstance(group, DirectProduct) else (group,)
        relabels = all(isinstance(factor, Relabel) for factor in factors[1:])
        if not isinstance(group, Numbered) or not isinstance(factors[0], Space) or not relabels:
            raise ValueError("Sites needs a Space, or a DirectProduct of a Space and Relabels behind it")
        self.group, self._numbered, self.fields = group, group, None if fields is None else list(fields)
        self._space: Space = factors[0]
        self._labels = DirectProduct(factors[1:])

    def element(self, x: State) -> Element:
        """Compute c with c⁻¹·x canonical: of several, the one with the smallest number."""
        rows, numbers = self.minimizers(x)
        first = torch.searchsorted(rows, torch.arange(len(x), device=x.device))
        return self._numbered.from_number(numbers[first], x.mask.shape[1])

    def sample(self, x: State, generator: Generator | None = None) -> Element:
        """Draw uniformly from the coset of all c with c⁻¹·x canonical.

        Where x has none of the fields, that is the whole group.
        """
        if not self._read(x):
            return self.group.sample(x.mask, generator)
        rows, numbers = self.minimizers(x)
        counts = torch.bincount(rows, minlength=len(x))
        place = (uniform((len(x),), generator, x.mask.double()) * counts).long()
        chosen = counts.cumsum(0) - counts + torch.minimum(place, counts - 1)
        return self._numbered.from_number(numbers[chosen], x.mask.shape[1])

    def minimizers(self, x: State) -> tuple[Tensor, Tensor]:
        """Find all c with c⁻¹·x canonical.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        row : Tensor, (M,) int64
            The structure, ascending.
        number : Tensor, (M,) int64
            The number of c in the group, ascending for every structure.
        """
        nodes = x.mask.shape[1]
        turned = [Turned.of(self._space, self._labels, x.only(name)) for name in self._read(x)]
        size = max(1, PORTION // (len(self._space.operations(nodes)) * self._labels.count(nodes) * nodes))
        portions = [
            self._minimizers(x.select(slice(start, start + size)), turned, start)
            for start in range(0, max(len(x), 1), size)
        ]
        return torch.cat([rows for rows, _ in portions]), torch.cat([numbers for _, numbers in portions])

    def automorphisms(self, x: State) -> Tensor:
        """Compute the order of every structure's stabilizer.

        Parameters
        ----------
        x : State
            B structures.

        Returns
        -------
        Tensor, (B,) float64
            The orders.
        """
        return torch.bincount(self.minimizers(x)[0], minlength=len(x)).double()

    def stabilizer(self, x: State) -> Tensor:
        """Find all g with g·x = x.

        Parameters
        ----------
        x : State
            One structure.

        Returns
        -------
        Tensor, (S,) int64
            The numbers of these elements, ascending.

        Raises
        ------
        ValueError
            For several structures.
        """
        if len(x) != 1:
            raise ValueError(f"the stabilizer of one structure is made at a time, got {len(x)}")
        nodes = x.mask.shape[1]
        minima = self.minimizers(x)[1]
        coset, one = (
            self._numbered.from_number(numbers, nodes) for numbers in (minima, minima[:1].expand(len(minima)))
        )
        stable = self.group.compose(coset, self.group.inverse(one))
        return self._numbered.number(stable, nodes).sort().values

    def _minimizers(self, x: State, turned: Sequence[Turned], start: int) -> tuple[Tensor, Tensor]:
        nodes, batch = x.mask.shape[1], len(x)
        torus, operations, labels = (
            self._space.torus(nodes),
            self._space.operations(nodes).to(x.device),
            self._labels.count(nodes),
        )
        turnings = len(operations) * labels
        left: Images | None = None
        for field in turned:
            colors, count = field.colors(x[field.name])
            if count == 1:
                continue
            codes, shape = windows(colors.view(batch, turnings, *torus.sides), count)
            codes = codes.reshape(batch, turnings, nodes)
            for offset in tiles(torus, shape):
                if left is None:
                    left = Images.first(codes if self._space.translations else codes[..., :1])
                else:
                    left = left.smallest(codes, torus, offset)
                if left.is_decided(batch):
                    break
            if left is not None and left.is_decided(batch):
                break
        if left is None:  # everything is uniform: all images are alike
            left = Images.first(x.mask.new_zeros(batch, turnings, nodes if self._space.translations else 1))
        operation, label = operations[left.turning // labels], left.turning % labels
        shift = torus.positions().to(x.device)[left.shift]
        moved = (self._space.lattice.operations.to(x.device)[operation] * shift[:, None]).sum(-1)
        numbers = self._space.number(torch.cat([operation[:, None], moved], 1), nodes) * labels + label
        order = (left.row * self._numbered.count(nodes) + numbers).argsort()
        return left.row[order] + start, numbers[order]

    def _read(self, x: State) -> list[str]:
        return [name for name in (x.schema if self.fields is None else self.fields) if name in x.schema]


@dataclass(frozen=True)
class Turned:
    """How a field looks through every turning, an operation of the point group and a permutation of labels: as gathers.

    Parameters
    ----------
    name : str
        The field.
    places : Tensor, (turnings · N · C,) int64
        The entry of the field, N sites by C channels, that stands at every place.
    labels : Tensor, (turnings, K) int64, or None
        What every label reads as, for fields of labels.
    turnings : int
        The number of turnings.
    nodes : int
        N, the number of sites.
    """

    name: str
    places: Tensor
    labels: Tensor | None
    turnings: int
    nodes: int

    @classmethod
    def of(cls, space: Space, relabel: DirectProduct, x: State) -> Turned:
        """Make the gathers of a field.

        Parameters
        ----------
        space : Space
            The space group, whose point operations are used.
        relabel : DirectProduct
            The groups that permute labels.
        x : State
            A batch with the one field.

        Returns
        -------
        Turned
            Its turnings.

        Raises
        ------
        ValueError
            For a field of pairs or vectors, whose images cannot be compared exactly.
        """
        ((name, field),) = x.schema.items()
        if field.axes == "pair" or getattr(field, "vector", 0):
            raise ValueError(
                f"field {name!r} is {field}: Sites compares labels, scalars and stars, of sites or graph-level"
            )
        nodes, device = x.mask.shape[1], x.device
        operations, labels = space.operations(nodes).to(device), relabel.count(nodes)
        turnings = len(operations) * labels
        turning = torch.arange(turnings, device=device)
        g = torch.zeros(turnings, 1 + space.lattice.dim, dtype=torch.int64, device=device)
        g[:, 0] = operations[turning // labels]
        f = relabel.inverse(relabel.from_number(turning % labels, nodes))
        shape = field.shape(1, nodes)
        entries = torch.arange(math.prod(shape), device=device).view(shape)
        asked = Real(field.axes, 1) if isinstance(field, Categorical) else field
        entries = entries[..., None] if isinstance(field, Categorical) else entries
        one = State(x.mask.new_ones(1, nodes), {name: asked}, {name: entries}).select([0] * turnings)
        moved = space.act(space.inverse(g), relabel.act(f, one))[name]
        if field.axes == "whole":
            moved = moved.view(turnings, 1, -1).expand(-1, nodes, -1)
        seen = None
        if isinstance(field, Categorical):
            every = torch.arange(field.classes, device=device).expand(turnings, -1)
            alphabet = State(
                x.mask.new_ones(turnings, field.classes), {name: Categorical("node", field.classes)}, {name: every}
            )
            seen = relabel.act(f, alphabet)[name]
        return cls(name, moved.reshape(-1), seen, turnings, nodes)

    def colors(self, value: Tensor) -> tuple[Tensor, int]:
        """Number the values of the field at every site of every turned structure.

        Their order is the same for all structures of an orbit.

        Parameters
        ----------
        value : Tensor, (B, ...)
            The values of the field.

        Returns
        -------
        colors : Tensor, (B, turnings, N) int64
            Numbers from 0.
        count : int
            All numbers are less; 1 where no structure shows a difference.
        """
        flat = value.reshape(len(value), -1)
        ranks = dense(flat) if self.labels is None else flat
        count = int(ranks.max()) + 1 if self.labels is None else self.labels.shape[1]
        seen = ranks[:, self.places].view(len(value), self.turnings, self.nodes, -1)
        if self.labels is not None:
            turning = torch.arange(self.turnings, device=value.device)[:, None, None]
            seen = self.labels[turning, seen]
        color, colors = seen[..., 0], count
        for channel in seen.unbind(-1)[1:]:
            if colors * count > 1 << BITS // 2:
                color = dense(color.reshape(len(value), -1)).view(color.shape)
                colors = int(color.max()) + 1
            color, colors = color * count + channel, colors * count
        return color, 1 if bool((color == color[:, :1, :1]).all()) else colors


@dataclass(frozen=True)
class Images:
    """The images that may still be smallest: (M,) int64 each, sorted by structure.

    Attributes
    ----------
    row : Tensor
        The structure.
    turning : Tensor
        How it is turned.
    shift : Tensor
        The site that the turned structure begins at.
    """

    row: Tensor
    turning: Tensor
    shift: Tensor

    @classmethod
    def first(cls, codes: Tensor) -> Images:
        """Take the images whose code is the smallest of their structure.

        Parameters
        ----------
        codes : Tensor, (B, turnings, shifts) int64
            The window at the beginning of every image.

        Returns
        -------
        Images
            The images that may still be smallest.
        """
        least = codes.flatten(1).amin(1)
        return cls(*(codes == least[:, None, None]).nonzero().unbind(1))

    def is_decided(self, batch: int) -> bool:
        """Tell whether one image is left for every structure.

        Parameters
        ----------
        batch : int
            B, the number of structures.

        Returns
        -------
        bool
            Whether as many images are left.
        """
        return len(self.row) == batch

    def smallest(self, codes: Tensor, torus: Torus, offset: Tensor) -> Images:
        """Take the images whose window at an offset is the smallest of their structure.

        Parameters
        ----------
        codes : Tensor, (B, turnings, N) int64
            The windows at every site of the turned structures.
        torus : Torus
            The lattice, of N sites.
        offset : Tensor, (d,) int64
            Where the window is, from the beginning of an image.

        Returns
        -------
        Images
            The images that may still be smallest.
        """
        positions = torus.positions() + offset
        place = torus.index(positions).to(codes.device)[self.shift]
        _, turnings, nodes = codes.shape
        code = codes.view(-1)[(self.row * turnings + self.turning) * nodes + place]
        least = torch.full((codes.shape[0],), torch.iinfo(codes.dtype).max, dtype=codes.dtype, device=codes.device)
        least.scatter_reduce_(0, self.row, code, "amin")
        smallest = (code == least[self.row]).nonzero()[:, 0]
        return Images(self.row[smallest], self.turning[smallest], self.shift[smallest])


def windows(colors: Tensor, count: int) -> tuple[Tensor, tuple[int, ...]]:
    """Pack the colors in a window at every site into one number.

    Parameters
    ----------
    colors : Tensor, (B, turnings, *sides) int64
        Numbers from 0 to ``count`` - 1.
    count : int
        The number of colors.

    Returns
    -------
    codes : Tensor, (B, turnings, *sides)
        The packed windows, of at most 62 bits.
    shape : tuple of int
        The sides of the window, powers of 2.
    """
    bits = max(1, (count - 1).bit_length())
    code, shape, sides = colors.to(_integer(bits)), [1] * (colors.ndim - 2), colors.shape[2:]
    while True:
        growing = [axis for axis, side in enumerate(sides) if 2 * shape[axis] <= side and 2 * bits <= BITS]
        if not growing:
            return code, tuple(shape)
        axis = min(growing, key=lambda a: shape[a])
        code = code.to(_integer(2 * bits))
        code = code | code.roll(-shape[axis], 2 + axis) << bits
        shape[axis], bits = 2 * shape[axis], 2 * bits


def _integer(bits: int) -> torch.dtype:
    return torch.int16 if bits < 16 else torch.int32 if bits < 32 else torch.int64


def tiles(torus: Torus, shape: Sequence[int]) -> Iterator[Tensor]:
    """List the corners of windows that cover the torus.

    Parameters
    ----------
    torus : Torus
        The lattice.
    shape : sequence of int
        The sides of a window.

    Yields
    ------
    Tensor, (d,) int64
        A corner, as an integer vector.
    """
    corners = [torch.arange(0, side, step) for side, step in zip(torus.sides, shape, strict=True)]
    yield from torch.cartesian_prod(*corners).view(-1, len(corners))


def dense(values: Tensor) -> Tensor:
    """Rank the values of every row among its different values.

    Parameters
    ----------
    values : Tensor, (B, M)
        The values.

    Returns
    -------
    Tensor, (B, M) int64
        Ranks from 0; equal values have the same one.
    """
    ordered, order = (values + 0).sort(1)  # + 0: no negative zero
    steps = torch.zeros_like(order)
    steps[:, 1:] = (ordered[:, 1:] != ordered[:, :-1]).cumsum(1)
    return torch.empty_like(order).scatter_(1, order, steps)
