"""A denoiser for lattices: group convolutions over a torus of any size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

from symdiff.config.ranges import Factor, Layers, Side, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.groups.bravais import LatticeKind, bravais
from symdiff.groups.torus import Torus, torus, torus_of
from symdiff.nn.embedding import Waves
from symdiff.nn.features import channels, encode
from symdiff.nn.lattice import GroupConvolution, LatticeBlock, LatticeFrames
from symdiff.nn.precise import PreciseLinear
from symdiff.state import Categorical, Field, Logits, Schema, Star, State, schema_from_plain

WAVES = 32
Equivariance = Literal["space", "relaxed", "translations"]


class LatticeConvolution(Denoiser):
    """Group convolutions over a torus, equivariant under ``Space(lattice)`` and a flip of two labels.

    The flip swaps labels 0 and 1 of all the fields ``flips`` together. Features live on (site, point operation, flip),
    in the regular representation. An input channel enters them through weights that are permuted as the group permutes
    the channels: stars turn, labels swap. Each block is a group convolution over nearest neighbors that also sees the
    mean over all sites, so that nothing depends on the torus' size.

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    lattice : {"chain", "square", "triangular", "cubic"}
        The kind of lattice.
    sides : sequence of int, optional
        The lengths of the torus in sites, as in ``Space``; equal sides by default.
    symmetry : {"space", "relaxed", "translations"}
        "relaxed" starts at "space" and may learn weights that vary over point operations and flips; "translations" is a
        plain convolutional network of the same width.
    flips : sequence of str
        The fields whose labels 0 and 1 swap, where there are such; empty for models without that symmetry.
    width : int
        Channels of a site, all group elements together: a multiple of their number.
    widening : int
        The hidden width of a block, in widths.
    layers : int
        How many blocks.

    Raises
    ------
    ValueError
        Where ``width`` is no multiple of the group's order, or a field is none that this network reads or predicts.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        lattice: LatticeKind = "square",
        sides: Sequence[Side] | None = None,
        symmetry: Equivariance = "space",
        flips: Sequence[str] = ("spin", "field", "sign"),
        width: Width = 128,
        widening: Factor = 2,
        layers: Layers = 4,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        point = symmetry != "translations"
        seen = {**noisy, **code}
        # the order of a State's fields may differ between training and sampling, that of the channels may not
        self.sites = [name for name, field in seen.items() if field.axes == "node"]
        self.wholes = [name for name, field in seen.items() if field.axes == "whole"]
        self.flips = tuple(name for name in flips if name in seen) if point else ()
        self.lattice, self.sides = bravais(lattice), None if sides is None else tuple(sides)
        self.directions = len(self.lattice.shells[0])
        self.predicted = prediction_schema(schema)
        self._check(seen, schema)
        frames = LatticeFrames.of(lattice, self.directions, point, bool(self.flips))
        if width % frames.count:
            raise ValueError(f"width must be a multiple of the group's {frames.count} elements, got {width}")
        self.count, relaxed = frames.count, symmetry == "relaxed"
        inner = width // frames.count

        self.waves = Waves(WAVES)
        context = WAVES + channels(noisy, "whole") + channels(code, "whole")
        self.context = nn.Sequential(PreciseLinear(context, width), nn.SiLU(), PreciseLinear(width, width), nn.SiLU())
        order = torch.cat([torch.zeros(frames.count, 1, dtype=torch.int64), *self._move_channels(seen, frames)], 1)
        self.register_buffer("order", order, persistent=False)  # (G, R): which channel every channel is seen as
        self.enter = nn.Parameter(torch.randn(order.shape[1], inner) * order.shape[1] ** -0.5)
        self.blocks = nn.ModuleList(LatticeBlock(frames, inner, widening, width, relaxed) for _ in range(layers))
        self.heads = nn.ModuleDict(
            {
                name: GroupConvolution(frames, inner, self._outer(name), relaxed=relaxed, precise=True)
                for name in self.predicted
            }
        )
        for name in self.flips:
            if (
                name in self.heads
            ):  # it moves the logits of both labels alike: its gradient would be nothing but rounding
                self.heads[name].bias.requires_grad_(False)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Predict on the torus that the number of sites determines.

        Raises
        ------
        ValueError
            For rows of different numbers of sites, or a number that no torus of this lattice has.
        """
        if not bool(x.mask.all()):
            raise ValueError("a batch of lattices needs the same number of sites in all rows")
        return self.on(x, t, z, *self._stencil(self.torus(x.mask.shape[1]), x.device))

    def on(self, x: State, t: Tensor, z: State, ahead: Tensor, behind: Tensor) -> State:
        """Predict on any periodic lattice of this kind, whose neighbors are given.

        Parameters
        ----------
        x : State
            x_t with its conditions, N sites in every row.
        t : Tensor
            (B,) times.
        z : State
            The symmetry-breaking input.
        ahead, behind : Tensor
            (N, D) int64, for every direction of the star the site there, and the site that has this one there.

        Returns
        -------
        State
            The prediction of x0, as ``forward`` returns it.
        """
        dtype = self.enter.dtype
        seen = State(x.mask, {**x.schema, **z.schema}, {**x.values, **z.values})
        raw = torch.cat(
            [torch.ones_like(x.mask, dtype=dtype)[..., None], *(self._read(seen, name, dtype) for name in self.sites)],
            -1,
        )
        c = self.context(torch.cat([self.waves(t), *encode(seen.only(*self.wholes), "whole", dtype)], -1))
        h = raw @ self.enter[self.order].permute(1, 0, 2).flatten(1)
        for block in self.blocks:
            h = block(h, c, ahead, behind)
        h = functional.layer_norm(h, h.shape[-1:])
        values = {name: self._write(name, head(h)) for name, head in self.heads.items()}
        return State(x.mask, self.predicted, values)

    def torus(self, nodes: int) -> Torus:
        """Find the torus of a structure by its number of sites.

        Parameters
        ----------
        nodes : int
            The number of sites.

        Returns
        -------
        Torus
            Of the sides that were set, or else with all sides alike.

        Raises
        ------
        ValueError
            Where there is none.
        """
        kind = self.lattice.kind
        return torus_of(kind, nodes) if self.sides is None else torus(kind, self.sides, nodes)

    def _stencil(self, piece: Torus, device: torch.device) -> tuple[Tensor, Tensor]:
        here = torch.arange(piece.sites)[:, None]
        near = piece.neighbors(self.directions)
        behind = near[:, self.lattice.opposite(self.directions)]
        return torch.cat([near, here], 1).to(device), torch.cat([behind, here], 1).to(device)

    def _read(self, seen: State, name: str, dtype: torch.dtype) -> Tensor:
        field, value = seen.schema[name], seen[name]
        if isinstance(field, Categorical):
            return functional.one_hot(value, field.classes).to(dtype)
        return value.to(dtype).flatten(2)

    def _move_channels(self, schema: Schema, frames: LatticeFrames) -> list[Tensor]:
        """How the channels of every field on sites look from each group element, (G, channels), counted on from 1."""
        columns, start = [], 1
        for name in self.sites:
            field = schema[name]
            if isinstance(field, Star):
                turned = self.lattice.permute_star(field.directions)
                element = (
                    torch.arange(frames.count) * len(turned) // frames.count
                    if frames.count > 1
                    else torch.zeros(1, dtype=torch.int64)
                )
                places = turned[element][..., None] * field.dim + torch.arange(field.dim)
                places = places.flatten(1)
            else:
                places = torch.arange(_width(field)).repeat(frames.count, 1)
                if name in self.flips:
                    places[:, :2] ^= frames.flipped.long()[:, None]
            columns.append(places + start)
            start += places.shape[1]
        return columns

    def _outer(self, name: str) -> int:
        field = self.predicted[name]
        return 1 if name in self.flips else field.classes

    def _write(self, name: str, out: Tensor) -> Tensor:
        """(B, N, G·outer) -> logits (B, N, classes)."""
        out = out.unflatten(-1, (-1, 2 if name in self.flips else 1, self._outer(name))).mean(2)
        return out.flatten(2)

    def _check(self, seen: Schema, schema: Schema) -> None:
        for name, field in seen.items():
            if field.axes == "pair" or getattr(field, "vector", 0):
                raise ValueError(
                    f"field {name!r} is {field}: this network reads labels, scalars and stars of sites, and "
                    "graph-level scalars"
                )
            if name in self.flips and not (isinstance(field, Categorical | Logits) and field.classes >= 2):
                raise ValueError(f"flips: field {name!r} has no two labels to swap, it is {field}")
        for name, field in schema.items():
            if field.axes != "node" or not isinstance(field, Categorical):
                raise ValueError(f"field {name!r} is {field}: this network predicts labels of sites")
            if name in self.flips and field.classes != 2:
                raise ValueError(f"flips: field {name!r} needs 2 labels, got {field.classes}")


def _width(field: Field) -> int:
    return field.classes if isinstance(field, Categorical) else math.prod(field.trailing)
