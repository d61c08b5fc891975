"""A multilayer perceptron over nodes with a matrix for each color of a pair."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Layers, Width
from symdiff.denoisers.base import Denoiser, mean_over_nodes, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.readout import Readout
from symdiff.nn.features import channels, encode
from symdiff.state import State, schema_from_plain


class OrbitMLP(Denoiser):
    """h_i ← h_i + σ(A h_i + B mean_j h_j + mean_j Σ_k e_ijk W_k h_j): one matrix W_k for each channel k of a pair.

    Where e_ij is the one-hot orbit of the ordered pair (i, j) under a group, this is the multilayer perceptron of all
    linear maps that commute with the group, since these have one weight for each orbit. Learned colors of fewer
    channels than orbits tie the matrices.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    width : int
        Channels of a node.
    layers : int
        How many layers.
    readout : int
        The rank of the bilinear forms that predict pairs.

    References
    ----------
    Goel, Lim, Lawrence, Jegelka, Huang: Any-Subgroup Equivariant Networks via Symmetry Breaking (ICLR 2026,
    https://arxiv.org/abs/2603.19486), whose experiments have such a base network.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 128,
        layers: Layers = 4,
        readout: Width = 16,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        self.noisy, self.code = tuple(noisy), tuple(code)
        pairs = channels(noisy, "pair") + channels(code, "pair")
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(1 + channels(noisy, "node") + channels(code, "node"), width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.all = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.colored = nn.ModuleList(nn.Linear(pairs * width, width, bias=False) for _ in range(layers if pairs else 0))
        self.norm = nn.LayerNorm(width)
        self.heads = Readout(self.predicted, noisy, width, width, readout)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Apply residual layers over nodes, whose messages have one matrix for each channel of a pair."""
        mask, dtype = x.mask, self.norm.weight.dtype
        x, z = x.only(*self.noisy), z.only(*self.code)
        here = mask[..., None].to(dtype)
        nodes = torch.cat([here, *encode(x, "node", dtype), *encode(z, "node", dtype)], -1) * here
        context = self.context(x, t, z)
        seen = encode(x, "pair", dtype) + encode(z, "pair", dtype)
        share = here[:, None] / mask.sum(1).clamp_min(1).view(-1, 1, 1, 1).to(dtype)
        pairs = torch.cat(seen, -1) * share if seen else None
        h = self.enter(nodes) + context[:, None]
        for k, norm in enumerate(self.norms):
            inner = norm(h)
            update = self.own[k](inner) + self.all[k](mean_over_nodes(inner, mask))[:, None]
            if pairs is not None:
                update = update + self.colored[k](torch.einsum("bijk,bjc->bikc", pairs, inner).flatten(2))
            h = h + nn.functional.silu(update)
        return State(mask, self.predicted, self.heads(self.norm(h), x, context))
