"""Any equivariant network as an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import nn

from symdiff.autoencoders.base import LATENT, LOG_VARIANCE, Encoder, latent_schema, latent_state
from symdiff.autoencoders.marks import count_marks, mark
from symdiff.config.ranges import Width
from symdiff.config.recipe import build
from symdiff.denoisers.base import Denoiser, settings_of
from symdiff.state import Real, State, schema_from_plain, schema_to_plain

MOST = 10.0
"""The largest logarithm of a variance, up or down."""


class NetworkEncoder(Encoder):
    """A latent read from a network that sees the clean structure and z.

    The network is any ``Denoiser`` whose predicted field is the latent: an encoder is a jointly equivariant map like
    any other. With z from the inversion kernel of the structure (``SymPE`` anchored in the data) structures that no
    equivariant network could tell apart get latents of their own, and the latent of a structure is still one and the
    same however its nodes are numbered.

    The latent of a structure is A Σ_i (1, z_i) ⊗ h_i, with h_i what the network says of node i and A a matrix: since z
    tells the nodes apart, the sum over nodes does not mix what belongs to different ones. Without z it is a plain sum.

    Parameters
    ----------
    schema, code : Mapping
        The schemas of the structures and of z, as ``schema_to_plain`` writes them.
    network : Mapping or Denoiser
        The spec of the network.
    dim : int
        Numbers of a latent.
    per : {"structure", "node"}
        Whether there is one latent a structure, invariant, or one a node, equivariant.
    variational : bool
        Whether the network predicts the mean and the variance of a normal distribution.
    channels : int
        Of h_i, where there is one latent a structure.
    normalized : bool
        Whether a latent has the root mean square 1, so that noise of a given standard deviation means the same for all
        structures. Not where it is variational.
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        code: Mapping,
        network: Mapping | Denoiser,
        dim: Width,
        per: Literal["structure", "node"] = "structure",
        variational: bool = False,
        channels: Width = 32,
        normalized: bool = True,
    ) -> None:
        super().__init__()
        axes = "whole" if per == "structure" else "node"
        self.latent = latent_schema(axes, dim, variational)
        self.dim, self.variational, self.normalized = dim, variational, normalized and not variational
        code = schema_from_plain(code)
        numbers = dim * len(self.latent)
        whole = per == "structure"
        self.pool = nn.Linear(count_marks(code) * channels, numbers) if whole else None
        self.network = build(
            Denoiser,
            network,
            where="encoder.network",
            schema=schema_to_plain({LATENT: Real("node", channels if whole else numbers)}),
            noisy=schema_to_plain(schema_from_plain(schema)),
            code=schema_to_plain(code),
        )
        self.register_to_config(network=settings_of(self.network))

    def forward(self, x: State, z: State) -> State:
        """Evaluate the network, pool its nodes by what z says of each for latents of structures, and normalize."""
        out = self.network(x, torch.zeros(len(x), device=x.device), z)[LATENT]
        if self.pool is not None:
            out = self.pool(torch.einsum("bnk,bnh->bkh", mark(z, out.dtype), out).flatten(1))
        out = out if out.dtype == torch.float64 else out.float()
        if self.variational:
            mean, log_variance = out.split(self.dim, -1)
            values = {LATENT: mean, LOG_VARIANCE: log_variance.clamp(-MOST, MOST)}
        else:
            # the root mean square of the padding is 0, too
            scale = out.square().mean(-1, keepdim=True).add(1e-12).rsqrt() if self.normalized else 1.0
            values = {LATENT: out * scale}
        return latent_state(self.latent, x.mask, **values)
