"""Graph attention over all ordered pairs of nodes, from torch-geometric."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.config.ranges import Heads, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.readout import Readout
from symdiff.nn.features import channels, encode
from symdiff.state import State, schema_from_plain


class GATv2(Denoiser):
    """A stack of ``torch_geometric.nn.GATv2Conv``, whose edges are all ordered pairs and carry what is seen of them.

    Node i attends to every node j, itself among them, with the features of the pair (i, j): labels such as bonds, and
    what z says of pairs, so that directed colors of pairs leave it only the subgroup that keeps them.

    Parameters
    ----------
    schema, noisy, code : Mapping
        See ``Denoiser``.
    width : int
        Channels of a node, a multiple of ``heads``.
    layers : int
        How many layers.
    heads : int
        Attention heads.
    readout : int
        The rank of the bilinear forms that predict pairs.

    Raises
    ------
    ValueError
        Where ``width`` is no multiple of ``heads``.

    References
    ----------
    Brody, Alon, Yahav: How Attentive are Graph Attention Networks? (ICLR 2022).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 128,
        layers: Layers = 4,
        heads: Heads = 8,
        readout: Width = 16,
    ) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch, about parts that torch-geometric uses
            from torch_geometric.nn import GATv2Conv

        if width % heads:
            raise ValueError(f"width must be a multiple of heads, got {width} and {heads}")
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        self.noisy, self.code = tuple(noisy), tuple(code)
        pairs = 1 + channels(noisy, "pair") + channels(code, "pair")  # one says that a node is its own neighbor
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(1 + channels(noisy, "node") + channels(code, "node"), width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.layers = nn.ModuleList(
            GATv2Conv(width, width // heads, heads, edge_dim=pairs, add_self_loops=False) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.heads = Readout(self.predicted, noisy, width, width, readout)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Attend over all ordered pairs of real nodes; labels of pairs are read out by bilinear forms."""
        mask, dtype = x.mask, self.norm.weight.dtype
        x, z = x.only(*self.noisy), z.only(*self.code)
        here = mask[..., None].to(dtype)
        nodes = torch.cat([here, *encode(x, "node", dtype), *encode(z, "node", dtype)], -1) * here
        same = torch.eye(mask.shape[1], dtype=dtype, device=x.device)[..., None].expand(len(mask), -1, -1, -1)
        pairs = torch.cat([same, *encode(x, "pair", dtype), *encode(z, "pair", dtype)], -1)
        context = self.context(x, t, z)

        row, to, of = torch.nonzero(mask[:, :, None] & mask[:, None], as_tuple=True)
        edges, carried = torch.stack([row * mask.shape[1] + of, row * mask.shape[1] + to]), pairs[row, to, of]
        h = (self.enter(nodes) + context[:, None]).flatten(0, 1)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            h = h + nn.functional.silu(layer(norm(h), edges, carried))
        h = self.norm(h).unflatten(0, mask.shape)
        return State(mask, self.predicted, self.heads(h, x, context))
