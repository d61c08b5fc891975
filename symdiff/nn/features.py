"""Labels and scalars of a structure as channels, in the order of its schema."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from symdiff.state import Axes, Categorical, Field, Real, Schema, State


def channels(schema: Schema, axes: Axes) -> int:
    """How many channels ``encode`` makes of the fields on ``axes``."""
    return sum(_width(name, field) for name, field in schema.items() if field.axes == axes)


def encode(x: State, axes: Axes, dtype: torch.dtype) -> list[Tensor]:
    """One-hot labels and real channels of the fields on ``axes``: tensors of shape (*axes, channels)."""
    parts = []
    for name, field in x.schema.items():
        if field.axes != axes:
            continue
        if isinstance(field, Categorical):
            parts.append(functional.one_hot(x[name], field.classes).to(dtype))
        else:
            parts.append(x[name].to(dtype))
    return parts


def _width(name: str, field: Field) -> int:
    if isinstance(field, Categorical):
        return field.classes
    if isinstance(field, Real) and not field.vector:
        return field.dim
    raise ValueError(f"field {name!r} is {field}: this network reads labels and scalars only")
