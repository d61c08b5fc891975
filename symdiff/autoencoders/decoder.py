"""Any equivariant network as a decoder that is equivariant up to the stabilizer of what it decodes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from symdiff.autoencoders.base import LATENT, Decoder
from symdiff.autoencoders.marks import count_marks, mark
from symdiff.config.ranges import Nodes, Width
from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser, settings_of
from symdiff.state import Real, State, schema_from_plain, schema_to_plain


class NetworkDecoder(Decoder):
    """A structure predicted by a network that sees the latent, instead of a noisy structure, and z.

    A latent of the whole structure is invariant: no permutation changes it, so its stabilizer is the whole group, and
    an equivariant network without z could only answer with a structure whose nodes are all alike. With z = g̃·v, g̃
    uniform on the group, the network is equivariant jointly and each draw is one of the numberings of one structure:
    relaxed equivariance. Latents of nodes are seen without z: whatever told the nodes apart is in them.

    Node i sees Σ_k (1, z_i)_k B_k c of the latent c, with learned matrices B_k, so that each node reads its own part.

    Parameters
    ----------
    schema, latent, code : Mapping
        The schemas of the structures, of the latents and of z, as ``schema_to_plain`` writes them.
    network : Mapping or Denoiser
        The spec of the network.
    nodes : int
        The largest structure.
    channels : int
        Of what a node sees of the latent of its structure.
    hidden : int
        Channels of the layer between the latent and the number of nodes.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        latent: Mapping,
        code: Mapping,
        network: Mapping | Denoiser,
        nodes: Nodes,
        channels: Width = 64,
        hidden: Width = 128,
    ) -> None:
        super().__init__()
        field, code = schema_from_plain(latent)[LATENT], schema_from_plain(code)
        whole, dim = field.axes == "whole", field.trailing[0]
        self.nodes, self.channels = nodes, channels
        self.seen = {LATENT: Real("node", channels if whole else dim)}
        self.spread = nn.Linear(dim, count_marks(code) * channels, bias=False) if whole else None
        self.network = build(
            Denoiser,
            network,
            where="decoder.network",
            schema=schema_to_plain(schema_from_plain(schema)),
            noisy=schema_to_plain(self.seen),
            code=schema_to_plain(code) if whole else {},
        )
        self.size = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, nodes + 1)) if whole else None
        self.register_to_config(network=settings_of(self.network))

    def forward(self, latent: State, z: State) -> State:
        """Spread the latent over the nodes by what z says of each, and evaluate the network on it.

        Raises
        ------
        ValueError
            For structures with more nodes than the decoder has.
        """
        if z.mask.shape[1] > self.nodes:
            raise ValueError(f"the decoder has {self.nodes} nodes, got structures with up to {z.mask.shape[1]}")
        value = latent[LATENT]
        if self.spread is not None:
            weight = self.spread.weight
            marks = mark(z, weight.dtype)
            parts = self.spread(value.to(weight.dtype)).unflatten(1, (marks.shape[-1], self.channels))
            value = torch.einsum("bnk,bkh->bnh", marks, parts)
        seen = State(z.mask, self.seen, {LATENT: value})
        return self.network(seen, torch.zeros(len(z), device=z.device), z)

    def sizes(self, latent: State) -> Tensor:
        """Predict the number of nodes by a small network on the latent."""
        if self.size is None:
            raise ValueError("latents of nodes say how many nodes there are by their own number")
        weight = next(self.size.parameters())
        return self.size(latent[LATENT].to(weight.dtype)).to(latent[LATENT]).log_softmax(-1)
