"""A lean denoiser for graphs: nodes carry the depth, pairs are read in at the start and read out at the end."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from symdiff.denoisers.base import Denoiser, mean_over_nodes, prediction_schema, width_of
from symdiff.denoisers.context import Context
from symdiff.nn.features import channels, encode
from symdiff.nn.transformer import Block
from symdiff.state import Categorical, State, extent, schema_from_plain


class NodeTransformer(Denoiser):
    """With a broken symmetry a node's row of bonds is a feature of the node.

    Every node reads Σ_j onehot(pair_ij) ⊗ c_j, where c_j holds 1, the labels of node j and its code z_j: with codes that
    tell the nodes apart this is the node's whole row, without them it is its neighborhood's histogram. Both are
    equivariant under permutations that move x and z jointly. After ``layers`` transformer blocks over nodes, biased by the
    pairs' labels, the logits of a pair are bilinear forms of its two nodes plus a table of (label seen, label
    predicted) that depends on t.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: int = 256,
        layers: int = 3,
        heads: int = 8,
        widening: int = 4,
        readout: int = 32,
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted, self.readout = prediction_schema(schema), readout
        nodes = 1 + channels(noisy, "node") + channels(code, "node")
        pairs = channels(noisy, "pair") + channels(code, "pair")
        self.context = Context(noisy, code, width)
        self.enter = nn.Linear(nodes + pairs * nodes, width)
        self.bias = nn.Linear(pairs, layers * heads, bias=False)
        self.blocks = nn.ModuleList(Block(width, heads, widening) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict()
        for name, field in self.predicted.items():
            classes = width_of(field)
            if field.axes != "pair":
                self.heads[name] = nn.Linear(width, classes)
                continue
            self.heads[name] = nn.ModuleDict({"row": nn.Linear(width, classes * readout), "column": nn.Linear(width, classes * readout)})
            if isinstance(noisy.get(name), Categorical):
                self.heads[name]["echo"] = nn.Linear(width, noisy[name].classes * classes)
                nn.init.zeros_(self.heads[name]["echo"].weight)
                nn.init.zeros_(self.heads[name]["echo"].bias)

    def forward(self, x: State, t: Tensor, z: State) -> State:
        mask, dtype = x.mask, self.norm.weight.dtype
        here = mask[..., None].to(dtype)
        nodes = torch.cat([here, *(part * here for part in encode(x, "node", dtype) + encode(z, "node", dtype))], -1)
        pairs = [part * (here[:, :, None] * here[:, None]) for part in encode(x, "pair", dtype) + encode(z, "pair", dtype)]
        pairs = torch.cat(pairs, -1) if pairs else nodes.new_zeros(*mask.shape, mask.shape[1], 0)
        rows = rearrange(torch.einsum("bijk,bjc->bikc", pairs, nodes), "b i k c -> b i (k c)")
        context = self.context(x, t, z)

        h = self.enter(torch.cat([nodes, rows], -1)) + context[:, None]
        padding = torch.where(mask, 0.0, torch.finfo(torch.float32).min / 4)[:, None, None, :]
        bias = rearrange(self.bias(pairs), "b i j (l h) -> l b h i j", l=len(self.blocks)) + padding
        for block, pair_bias in zip(self.blocks, bias, strict=True):
            h = block(h, pair_bias)
        h = self.norm(h)
        values = {name: self._read(name, h, x, context) for name in self.predicted}
        return State(mask, self.predicted, values)

    def _read(self, name: str, h: Tensor, x: State, context: Tensor) -> Tensor:
        field, head = self.predicted[name], self.heads[name]
        if field.axes == "whole":
            return head(mean_over_nodes(h, x.mask))
        if field.axes == "node":
            return head(h) * x.mask[..., None]
        row, column = (rearrange(head[side](h), "b n (k r) -> b k n r", r=self.readout) for side in ("row", "column"))
        logits = rearrange(row @ column.mT, "b k i j -> b i j k") * self.readout**-0.5
        if "echo" in head:
            table = rearrange(head["echo"](context), "b (seen k) -> b seen k", k=logits.shape[-1])
            seen = functional.one_hot(x[name], table.shape[1]).to(table.dtype)
            logits = logits + torch.einsum("bijs,bsk->bijk", seen, table)
        if field.symmetric:
            logits = logits + logits.transpose(1, 2)
        return logits * extent(field, x.mask)[..., None]
