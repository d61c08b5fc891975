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
    """Jointly equivariant: ``group.act(g, f(x, t, z)) == f(group.act(g, x), t, group.act(g, z))``.

    Every denoiser is built from three schemas, then its own settings: ``schema`` (what it predicts, as in the data),
    ``noisy`` (what it sees) and ``code`` (the symmetry-breaking input z; empty where nothing is broken).
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
        """Predict x0: Logits for every Categorical field of ``schema``, reals for reals. ``t``: (B,)."""


def settings_of(network: Denoiser) -> dict:
    """The spec that a network is built from, without the schemas that it is given."""
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
    """The schema of a prediction: logits for labels, reals for reals."""
    return {
        name: Logits(field.axes, field.classes, field.undirected) if isinstance(field, Categorical) else field
        for name, field in schema.items()
    }


def width_of(field: Field) -> int:
    """The channels that a network gives an entry of a predicted field: its classes, or its components."""
    return math.prod(field.trailing)


def mean_over_nodes(h: Tensor, mask: Tensor) -> Tensor:
    """(B, N, width) -> (B, width), over the real nodes."""
    return (h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp_min(1)
