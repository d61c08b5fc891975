"""A multilayer perceptron on nodes and ordered pairs whose linear maps are all that commute with permutations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Layers, Width
from symdiff.denoisers.base import Denoiser, mean_over_nodes, prediction_schema, width_of
from symdiff.denoisers.context import Context
from symdiff.nn.features import channels, encode
from symdiff.state import State, extent, schema_from_plain


class EquivariantMLP(Denoiser):
    """Equivariant linear maps between tensors of order 1 and 2 over nodes, with pointwise nonlinearities between.

    On sets that have no pairs this is DeepSets; with pairs every layer has all 15 maps of order 2 to order 2 and the
    lower ones that belong to them, with means in place of sums so that structures of different sizes may share weights.
    Given colors of pairs that only a subgroup keeps it is equivariant under that subgroup.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    width : int
        Channels of a node.
    pair_width : int
        Channels of an ordered pair.
    layers : int
        How many layers.

    References
    ----------
    Maron, Ben-Hamu, Shamir, Lipman: Invariant and Equivariant Graph Networks (ICLR 2019).

    Zaheer, Kottur, Ravanbakhsh, Poczos, Salakhutdinov, Smola: Deep Sets (NeurIPS 2017).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 128,
        pair_width: Width = 32,
        layers: Layers = 3,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        self.noisy, self.code = tuple(noisy), tuple(code)
        self.context = Context(noisy, code, width)
        nodes = 1 + channels(noisy, "node") + channels(code, "node")
        pairs = 1 + channels(noisy, "pair") + channels(code, "pair")
        self.enter = _Linear(nodes, pairs, width, pair_width)
        self.from_context = nn.Linear(width, width + pair_width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.pair_norms = nn.ModuleList(nn.LayerNorm(pair_width) for _ in range(layers))
        # the diagonal of what is predicted is never read: the last layer needs no maps to it
        self.layers = nn.ModuleList(
            _Linear(width, pair_width, width, pair_width, loops=k < layers - 1) for k in range(layers)
        )
        self.heads = nn.ModuleDict()
        for name, field in self.predicted.items():
            inner = pair_width if field.axes == "pair" else width
            self.heads[name] = nn.Sequential(
                nn.LayerNorm(inner), nn.Linear(inner, inner), nn.SiLU(), nn.Linear(inner, width_of(field))
            )

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Apply residual equivariant layers to nodes and pairs, with what is graph-level added at the start."""
        mask, dtype = x.mask, self.from_context.weight.dtype
        x, z = x.only(*self.noisy), z.only(*self.code)
        here = mask[..., None].to(dtype)
        both = here[:, :, None] * here[:, None]
        nodes = torch.cat([here, *encode(x, "node", dtype), *encode(z, "node", dtype)], -1) * here
        pairs = torch.cat([both, *encode(x, "pair", dtype), *encode(z, "pair", dtype)], -1) * both
        h, e = self.enter(nodes, pairs, mask)
        of_nodes, of_pairs = self.from_context(self.context(x, t, z)).split([h.shape[-1], e.shape[-1]], -1)
        h, e = h + of_nodes[:, None], e + of_pairs[:, None, None]
        silu = nn.functional.silu
        for norm, pair_norm, layer in zip(self.norms, self.pair_norms, self.layers, strict=True):
            more_h, more_e = layer(silu(norm(h)) * here, silu(pair_norm(e)) * both, mask)
            h, e = h + more_h, e + more_e
        values = {}
        for name, field in self.predicted.items():
            head = self.heads[name]
            if field.axes == "whole":
                values[name] = head(mean_over_nodes(h, mask))
            elif field.axes == "node":
                values[name] = head(h) * here
            else:
                read = e + e.transpose(1, 2) if field.symmetric else e
                values[name] = head(read) * extent(field, mask)[..., None]
        return State(mask, self.predicted, values)


class _Linear(nn.Module):
    """Every linear map from (nodes, ordered pairs) to (nodes, ordered pairs) that commutes with permutations.

    Inputs are zero on padding; outputs are whatever they are there.
    """

    def __init__(self, nodes: int, pairs: int, width: int, pair_width: int, loops: bool = True) -> None:
        super().__init__()
        about = nodes + 3 * pairs
        self.node, self.all = nn.Linear(about, width), nn.Linear(about, width, bias=False)
        self.pair, self.turned = nn.Linear(pairs, pair_width), nn.Linear(pairs, pair_width, bias=False)
        self.row, self.column = (nn.Linear(about, pair_width, bias=False) for _ in range(2))
        self.all_pairs = nn.Linear(about, pair_width, bias=False)
        self.loops = nn.ModuleList(nn.Linear(about, pair_width, bias=False) for _ in range(2 if loops else 0))

    def forward(self, h: Tensor, e: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``h``: (B, N, nodes); ``e``: (B, N, N, pairs)."""
        count = mask.sum(1).clamp_min(1).view(-1, 1, 1).to(e.dtype)
        loops = e.diagonal(dim1=1, dim2=2).mT
        about = torch.cat([h, loops, e.sum(2) / count, e.sum(1) / count], -1)
        mean = mean_over_nodes(about, mask)[:, None]
        nodes = self.node(about) + self.all(mean)
        pairs = self.pair(e) + self.turned(e).transpose(1, 2)
        pairs = pairs + self.row(about)[:, :, None] + self.column(about)[:, None] + self.all_pairs(mean)[:, None]
        if self.loops:
            of_one, of_all = self.loops
            pairs = pairs + torch.diag_embed((of_one(about) + of_all(mean)).mT).movedim(1, -1)
        return nodes, pairs
