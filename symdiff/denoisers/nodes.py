"""A lean denoiser for graphs: nodes carry the depth, pairs are read in at the start and read out at the end."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from symdiff.config.ranges import Factor, Heads, Layers, Width
from symdiff.denoisers.base import Denoiser, prediction_schema
from symdiff.denoisers.context import Context
from symdiff.denoisers.readout import Readout
from symdiff.nn.features import channels, encode
from symdiff.nn.transformer import Block
from symdiff.state import State, schema_from_plain


class NodeTransformer(Denoiser):
    """A transformer over nodes alone, to which a node's row of bonds is a feature of the node.

    Every node reads Σ_j onehot(pair_ij) ⊗ c_j, where c_j holds 1, the labels of node j and its code z_j: with codes
    that tell the nodes apart, where the symmetry is broken, this is the node's whole row, without them it is its
    neighborhood's histogram. Both are equivariant under permutations that move x and z jointly. After ``layers``
    transformer blocks over nodes, biased by the pairs' labels, the logits of a pair are bilinear forms of its two nodes
    plus a table of (label seen, label predicted) that depends on t.

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    width : int
        Channels of a node, a multiple of ``heads``.
    layers : int
        How many transformer blocks.
    heads : int
        Attention heads.
    widening : int
        The hidden width of the feed-forward parts, in widths.
    readout : int
        The rank of the bilinear forms.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 256,
        layers: Layers = 3,
        heads: Heads = 8,
        widening: Factor = 4,
        readout: Width = 32,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted = prediction_schema(schema)
        self.noisy, self.code = tuple(noisy), tuple(code)
        nodes = 1 + channels(noisy, "node") + channels(code, "node")
        pairs = channels(noisy, "pair") + channels(code, "pair")
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(nodes + pairs * nodes, width)
        self.bias = nn.Linear(pairs, layers * heads, bias=False) if pairs else None
        self.blocks = nn.ModuleList(Block(width, heads, widening) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.heads = Readout(self.predicted, noisy, width, width, readout)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Read every node's row of pairs, apply the blocks over nodes, and read pairs out by bilinear forms."""
        mask, dtype = x.mask, self.norm.weight.dtype
        x, z = x.only(*self.noisy), z.only(*self.code)
        here = mask[..., None].to(dtype)
        nodes = torch.cat([here, *(part * here for part in encode(x, "node", dtype) + encode(z, "node", dtype))], -1)
        seen = encode(x, "pair", dtype) + encode(z, "pair", dtype)
        padding = torch.where(mask, 0.0, torch.finfo(torch.float32).min / 4)[:, None, None, :]
        biases = [padding] * len(self.blocks)
        if self.bias is not None:
            pairs = torch.cat([part * (here[:, :, None] * here[:, None]) for part in seen], -1)
            rows = rearrange(torch.einsum("bijk,bjc->bikc", pairs, nodes), "b i k c -> b i (k c)")
            nodes = torch.cat([nodes, rows], -1)
            bias = rearrange(self.bias(pairs), "b i j (l h) -> l b h i j", l=len(self.blocks))
            biases = [pair_bias + padding for pair_bias in bias]
        context = self.context(x, t, z)

        h = self.enter(nodes) + context[:, None]
        for block, pair_bias in zip(self.blocks, biases, strict=True):
            h = block(h, pair_bias)
        h = self.norm(h)
        return State(mask, self.predicted, self.heads(h, x, context))
