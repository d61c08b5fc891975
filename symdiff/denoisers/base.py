"""A denoiser: the network that predicts the clean structure."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from symdiff.state import Categorical, Field, Logits, Schema, State


class Denoiser(ModelMixin, ConfigMixin, ABC):
    """A network that predicts the clean structure from the noisy one, equivariantly.

    It is jointly equivariant: ``group.act(g, f(x, t, z)) == f(group.act(g, x), t, group.act(g, z))``. Every denoiser is
    built from three schemas, then its own settings.

    Parameters
    ----------
    schema : Mapping
        What is predicted, as in the data: fields by name, as ``schema_to_plain`` writes them.
    noisy : Mapping
        What is seen of the noisy structure, conditions included, in the same form.
    code : Mapping
        The symmetry-breaking input z, in the same form; empty where nothing is broken.
    """

    supplied: ClassVar = ("schema", "noisy", "code")
    """What the constructor gets from the data and from other parts, not from a recipe."""

    def __getattr__(self, name: str) -> Any:
        # diffusers would answer with the config's entry where a submodule has the name of the setting that describes it
        return nn.Module.__getattr__(self, name)

    def to_json_string(self) -> str:
        """The config as ``save_pretrained`` writes it, a schema's fields in their own order.

        That may be the order of the weights.
        """
        return json.dumps(_arrange(json.loads(super().to_json_string()), self.config), indent=2) + "\n"

    @abstractmethod
    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Predict x0.

        Parameters
        ----------
        x : State
            x_t with its conditions, over ``noisy``; fields of other names are ignored.
        t : Tensor
            (B,) times in [0, 1].
        z : State
            The symmetry-breaking input, over ``code``, with the mask of ``x``.

        Returns
        -------
        State
            Over ``schema``: Logits for every Categorical field, reals for reals; the mask of ``x``.
        """


def settings_of(network: Denoiser) -> dict:
    """Write the spec that a network can be built from again, without the schemas that it is given.

    Parameters
    ----------
    network : Denoiser
        A network, whose config is read.

    Returns
    -------
    dict
        ``kind``, the name of the class, and the settings by their names.
    """
    settings = {
        key: value
        for key, value in network.config.items()
        if not key.startswith("_") and key not in ("schema", "noisy", "code")
    }
    return {"kind": type(network).__name__, **settings}


def _arrange(value: Any, like: Any) -> Any:
    """``value`` with the keys of every mapping in the order of ``like``, those that it lacks last."""
    if not isinstance(value, dict) or not isinstance(like, Mapping):
        return value
    return {key: _arrange(value[key], like.get(key)) for key in sorted(value, key=[*like, *value].index)}


def prediction_schema(schema: Schema) -> dict:
    """Make the schema of a prediction: logits for labels, reals for reals.

    Parameters
    ----------
    schema : Schema
        The predicted fields, as they are in the data.

    Returns
    -------
    dict of str to Field
        Fields of the same names.
    """
    return {
        name: Logits(field.axes, field.classes, field.undirected) if isinstance(field, Categorical) else field
        for name, field in schema.items()
    }


def width_of(field: Field) -> int:
    """Count the channels that a network gives an entry of a predicted field: its classes, or its components.

    Parameters
    ----------
    field : Field
        A field of a prediction.

    Returns
    -------
    int
        The product of the axes that follow those of nodes.
    """
    return math.prod(field.trailing)


def mean_over_nodes(h: Tensor, mask: Tensor) -> Tensor:
    """Average features over the real nodes of each structure.

    Parameters
    ----------
    h : Tensor
        (B, N, width).
    mask : Tensor
        (B, N) bool, the real nodes.

    Returns
    -------
    Tensor
        (B, width); zero for a structure without nodes.
    """
    return (h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp_min(1)
