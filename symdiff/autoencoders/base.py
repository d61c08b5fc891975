"""Encoders and decoders, abstractly: from structures to latents and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from symdiff.state import Real, Schema, State

LATENT, LOG_VARIANCE = "latent", "log_variance"


class Encoder(ModelMixin, ConfigMixin, ABC):
    """A structure and its z to a latent, jointly: invariant where there is one latent a structure, else equivariant.

    Every encoder is built from the schema of the structures and that of z (``code``), then its own settings.

    Attributes
    ----------
    latent : Mapping of str to Field
        The schema of latents: ``latent``, reals on nodes or at graph level, and ``log_variance`` beside it where the
        encoder is variational.
    """

    supplied: ClassVar = ("schema", "code")
    """What the constructor gets from the data and from other parts, not from a recipe."""
    latent: Schema

    def __getattr__(self, name: str) -> Any:
        # diffusers would answer with the config's entry where a submodule has the name of the setting that describes it
        return nn.Module.__getattr__(self, name)

    @abstractmethod
    def forward(self, x: State, z: State) -> State:
        """Encode structures.

        Parameters
        ----------
        x : State
            B structures.
        z : State
            The symmetry-breaking input that belongs to them.

        Returns
        -------
        State
            Over ``latent``. A latent of the whole structure has a mask of one node, (B, 1), so that it tells nothing
            of the number of nodes by its shape; latents of nodes have the mask of ``x``.
        """


class Decoder(ModelMixin, ConfigMixin, ABC):
    """A latent and z to the prediction of a structure: relaxed equivariant with z from the inversion kernel of latents.

    Every decoder is built from the schemas of the structures, of the latents (``latent``) and of z (``code``), then
    its own settings.
    """

    supplied: ClassVar = ("schema", "latent", "code")
    """What the constructor gets from the data and from other parts, not from a recipe."""

    def __getattr__(self, name: str) -> Any:
        # diffusers would answer with the config's entry where a submodule has the name of the setting that describes it
        return nn.Module.__getattr__(self, name)

    @abstractmethod
    def forward(self, latent: State, z: State) -> State:
        """Predict structures as large as ``z`` is: Logits for every Categorical field, reals for reals."""

    @abstractmethod
    def sizes(self, latent: State) -> Tensor:
        """Predict how many nodes a structure has: log-probabilities of 0, 1, 2, ... nodes, (B, largest + 1)."""


def per_structure(schema: Schema) -> bool:
    """Whether latents of this schema belong to whole structures, not to their nodes."""
    return schema[LATENT].axes == "whole"


def latent_state(schema: Schema, mask: Tensor, **values: Tensor) -> State:
    """Latents as a State; ``mask``: that of the structures."""
    if per_structure(schema):
        mask = torch.ones(len(mask), 1, dtype=torch.bool, device=mask.device)
    return State(mask, {name: schema[name] for name in values}, values)


def latent_schema(axes: str, dim: int, variational: bool) -> dict[str, Real]:
    """The schema of latents of ``dim`` numbers on "node" or "whole"."""
    names = (LATENT, LOG_VARIANCE) if variational else (LATENT,)
    return {name: Real("node" if axes == "node" else "whole", dim) for name in names}
