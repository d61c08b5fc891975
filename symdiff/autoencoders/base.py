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
    """A network that encodes a structure given z, jointly equivariant: invariant where there is one latent a structure.

    Every encoder is built from two schemas, then its own settings.

    Parameters
    ----------
    schema : Mapping
        The fields of the structures: by name, as ``schema_to_plain`` writes them.
    code : Mapping
        Those of the symmetry-breaking input z, in the same form.

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
    """A network that predicts a structure from its latent and z: relaxed equivariant with z from the inversion kernel.

    Every decoder is built from three schemas, then its own settings.

    Parameters
    ----------
    schema : Mapping
        The fields of the structures: by name, as ``schema_to_plain`` writes them.
    latent : Mapping
        Those of the latents, in the same form.
    code : Mapping
        Those of the symmetry-breaking input z, in the same form.
    """

    supplied: ClassVar = ("schema", "latent", "code")
    """What the constructor gets from the data and from other parts, not from a recipe."""

    def __getattr__(self, name: str) -> Any:
        # diffusers would answer with the config's entry where a submodule has the name of the setting that describes it
        return nn.Module.__getattr__(self, name)

    @abstractmethod
    def forward(self, latent: State, z: State) -> State:
        """Predict structures.

        Parameters
        ----------
        latent : State
            B latents, of nodes or of whole structures.
        z : State
            The symmetry-breaking input; its mask gives the sizes of the structures.

        Returns
        -------
        State
            Over ``schema`` with the mask of ``z``: Logits for every Categorical field, reals for reals.
        """

    @abstractmethod
    def sizes(self, latent: State) -> Tensor:
        """Predict how many nodes a structure has, from the latent of the whole of it.

        Parameters
        ----------
        latent : State
            B latents.

        Returns
        -------
        Tensor
            (B, largest + 1), log-probabilities of 0, 1, 2, ... nodes.

        Raises
        ------
        ValueError
            For latents of nodes, whose number is the structure's.
        """


def per_structure(schema: Schema) -> bool:
    """Tell whether latents belong to whole structures, not to their nodes.

    Parameters
    ----------
    schema : Schema
        The schema of the latents.

    Returns
    -------
    bool
        True for latents at graph level.
    """
    return schema[LATENT].axes == "whole"


def latent_state(schema: Schema, mask: Tensor, **values: Tensor) -> State:
    """Put latents into a State.

    Parameters
    ----------
    schema : Schema
        The schema of the latents.
    mask : Tensor
        (B, N) bool, the real nodes of the structures.
    **values : Tensor
        Values of fields of ``schema`` by their names; those that are left out are absent.

    Returns
    -------
    State
        With ``mask`` for latents of nodes, else with a mask of one node, (B, 1).
    """
    if per_structure(schema):
        mask = torch.ones(len(mask), 1, dtype=torch.bool, device=mask.device)
    return State(mask, {name: schema[name] for name in values}, values)


def latent_schema(axes: str, dim: int, variational: bool) -> dict[str, Real]:
    """Make the schema of latents.

    Parameters
    ----------
    axes : {"node", "whole"}
        Whether every node has a latent, or every structure.
    dim : int
        The numbers in a latent.
    variational : bool
        Whether the logarithm of a variance stands beside each.

    Returns
    -------
    dict of str to Real
        ``latent``, and maybe ``log_variance``.
    """
    names = (LATENT, LOG_VARIANCE) if variational else (LATENT,)
    return {name: Real("node" if axes == "node" else "whole", dim) for name in names}
