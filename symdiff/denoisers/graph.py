"""A graph transformer with a stream for nodes and a stream for pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from symdiff.config.ranges import Factor, Heads, Layers, Width
from symdiff.denoisers.base import Denoiser, mean_over_nodes, prediction_schema, width_of
from symdiff.denoisers.context import Context
from symdiff.nn.features import channels, encode
from symdiff.nn.structure import LENGTHS, Feature, features
from symdiff.nn.transformer import attend
from symdiff.state import State, extent, schema_from_plain


class PairLayer(nn.Module):
    """Nodes attend to nodes with logits and values from the pairs; pairs are updated from their two nodes.

    Parameters
    ----------
    width, pair_width : int
        Channels of a node, a multiple of ``heads``, and of a pair.
    heads : int
        Attention heads.
    widening : int
        The hidden width of the nodes' feed-forward part, in widths.
    """

    def __init__(self, width: int, pair_width: int, heads: int, widening: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, got {width} and {heads}")
        self.heads = heads
        self.before_nodes, self.before_pairs = nn.LayerNorm(width), nn.LayerNorm(pair_width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.bias = nn.Linear(pair_width, heads, bias=False)
        self.attended = nn.Linear(width, width)
        self.first, self.second = nn.Linear(width, pair_width), nn.Linear(width, pair_width)
        self.node_mlp = _mlp(width, widening)
        self.pair_mlp = _mlp(pair_width, 2)

    def forward(self, h: Tensor, e: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Update nodes by attention, then pairs by the products of their two nodes.

        Parameters
        ----------
        h : Tensor
            (B, N, width), the nodes.
        e : Tensor
            (B, N, N, pair_width), the ordered pairs.
        padding : Tensor
            (B, 1, 1, N), added to the attention logits: 0 for real nodes, very negative for padding.

        Returns
        -------
        tuple of Tensor
            The new ``h`` and ``e``.
        """
        pairs = self.before_pairs(e)
        bias = rearrange(self.bias(pairs), "b i j h -> b h i j") + padding
        h = h + self.attended(attend(self.query_key_value(self.before_nodes(h)), bias, self.heads))
        h = h + self.node_mlp(h)
        e = e + self.first(h)[:, :, None] * self.second(h)[:, None]
        return h, e + self.pair_mlp(e)


class GraphTransformer(Denoiser):
    """A graph transformer that is permutation equivariant, with or without a symmetry-breaking code.

    In the manner of DiGress: every layer updates nodes and pairs. Memory grows with the square of the number of nodes.

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
    pair_width : int
        Channels of a pair.
    layers : int
        How many layers.
    heads : int
        Attention heads.
    widening : int
        The hidden width of the nodes' feed-forward parts, in widths; that of the pairs' is 2.
    features : sequence of str
        What of the noisy graph is added to the input: cycle counts, return probabilities of random walks or the
        Laplacian spectrum. See ``symdiff.nn.structure.Feature`` for the names.

    Raises
    ------
    ValueError
        Where ``width`` is no multiple of ``heads``.

    References
    ----------
    Vignac, Krawczuk, Siraudin, Wang, Cevher, Frossard: DiGress: Discrete Denoising diffusion for graph generation (ICLR
    2023).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        noisy: Mapping,
        code: Mapping,
        width: Width = 128,
        pair_width: Width = 48,
        layers: Layers = 4,
        heads: Heads = 8,
        widening: Factor = 2,
        features: Sequence[Feature] = (),
    ) -> None:
        super().__init__()
        schema, noisy, code = map(schema_from_plain, (schema, noisy, code))
        self.predicted, self.features = prediction_schema(schema), tuple(features)
        self.noisy, self.code = tuple(noisy), tuple(code)
        extra_nodes, extra_whole = (sum(LENGTHS[name][k] for name in self.features) for k in (0, 1))
        nodes = 1 + channels(noisy, "node") + channels(code, "node") + extra_nodes
        pairs = 2 + channels(noisy, "pair") + channels(code, "pair")
        self.context = Context(noisy, code, width, extra_whole)
        self.to_pairs = nn.Linear(width, pair_width)
        self.enter_nodes, self.enter_pairs = nn.Linear(nodes, width), nn.Linear(pairs, pair_width)
        self.blocks = nn.ModuleList(PairLayer(width, pair_width, heads, widening) for _ in range(layers))
        self.heads = nn.ModuleDict()
        for name, field in self.predicted.items():
            inner = pair_width if field.axes == "pair" else width
            self.heads[name] = nn.Sequential(
                nn.LayerNorm(inner), nn.Linear(inner, inner), nn.SiLU(), nn.Linear(inner, width_of(field))
            )

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Embed nodes, pairs and context, apply the layers to both streams, and read out field by field."""
        mask, dtype = x.mask, self.to_pairs.weight.dtype
        x, z = x.only(*self.noisy), z.only(*self.code)
        with torch.autocast(x.device.type, enabled=False):
            extra_nodes, extra_whole = features(x, self.features, dtype)
        here = mask[..., None].to(dtype)
        nodes = torch.cat([here, extra_nodes, *encode(x, "node", dtype), *encode(z, "node", dtype)], -1) * here
        both = here[:, :, None] * here[:, None]
        same = torch.eye(mask.shape[1], dtype=dtype, device=x.device)[None, ..., None].expand_as(both)
        pairs = torch.cat([both, same, *encode(x, "pair", dtype), *encode(z, "pair", dtype)], -1) * both
        context = self.context(x, t, z, (extra_whole,))

        h = self.enter_nodes(nodes) + context[:, None]
        e = self.enter_pairs(pairs) + self.to_pairs(context)[:, None, None]
        padding = torch.where(mask, 0.0, torch.finfo(torch.float32).min / 4)[:, None, None, :].to(dtype)
        for block in self.blocks:
            h, e = block(h, e, padding)
        values = {name: self._read(name, h, e, mask) for name in self.predicted}
        return State(mask, self.predicted, values)

    def _read(self, name: str, h: Tensor, e: Tensor, mask: Tensor) -> Tensor:
        field, head = self.predicted[name], self.heads[name]
        if field.axes == "whole":
            return head(mean_over_nodes(h, mask))
        if field.axes == "node":
            return head(h) * mask[..., None]
        if field.symmetric:
            e = e + e.transpose(1, 2)
        return head(e) * extent(field, mask)[..., None]


def _mlp(width: int, widening: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, widening * width), nn.GELU("tanh"), nn.Linear(widening * width, width)
    )
