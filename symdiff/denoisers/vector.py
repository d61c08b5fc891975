"""A denoiser for vectors of numbers, such as latents: a residual multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Factor, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema, width_of
from symdiff.denoisers.context import Context
from symdiff.nn.features import channels, encode
from symdiff.nn.transformer import SquaredReLU
from symdiff.state import Real, State, schema_from_plain


class ResidualMLP(Denoiser):
    """Predicts graph-level fields from graph-level fields; nothing on nodes or pairs is seen.

    Reals that are seen are predicted as x_t − t·output: right at t = 0 whatever the network says, and for a straight
    path the output is its velocity. Graph-level fields are not moved by permutations, so the network is invariant.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    width : int
        Channels.
    layers : int
        How many residual blocks, each of two layers.
    widening : int
        The hidden width of a block, in widths.

    Raises
    ------
    ValueError
        For fields on nodes or pairs, and for vectors.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 512,
        layers: Layers = 6,
        widening: Factor = 2,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        for name, field in {**schema, **noisy}.items():
            if field.axes != "whole" or (isinstance(field, Real) and field.vector):
                raise ValueError(f"field {name!r} is {field}: this network reads graph-level labels and scalars only")
        self.predicted = prediction_schema(schema)
        self.echoed = [name for name, field in schema.items() if isinstance(field, Real) and name in noisy]
        self.noisy, self.code = tuple(noisy), tuple(code)
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(channels(noisy, "whole"), width)
        self.blocks = nn.ModuleList(_Residual(width, widening) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({name: nn.Linear(width, width_of(field)) for name, field in self.predicted.items()})

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Apply the residual blocks to the graph-level fields, with time and z as context."""
        dtype, x, z = self.norm.weight.dtype, x.only(*self.noisy), z.only(*self.code)
        context = nn.functional.silu(self.context(x, t, z))
        h = self.enter(torch.cat(encode(x, "whole", dtype), -1))
        for block in self.blocks:
            h = block(h, context)
        h = self.norm(h)
        values = {}
        for name in self.predicted:
            out = self.heads[name](h)
            values[name] = x[name] - t.view(-1, 1).to(x[name]) * out.to(x[name]) if name in self.echoed else out
        return State(x.mask, self.predicted, values)


class _Residual(nn.Module):
    """h + narrow(relu(widen((1 + a)·norm(h) + b))²), with a and b read from the context."""

    def __init__(self, width: int, widening: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.scale_and_shift = nn.Linear(width, 2 * width)
        self.widen = nn.Linear(width, widening * width)
        self.narrow = nn.Linear(widening * width, width)

    def forward(self, h: Tensor, context: Tensor) -> Tensor:
        """``h`` and ``context``: (B, width)."""
        scale, shift = self.scale_and_shift(context).chunk(2, -1)
        return h + self.narrow(SquaredReLU.apply(self.widen(self.norm(h) * (1 + scale) + shift)))
