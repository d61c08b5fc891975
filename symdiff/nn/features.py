"""Labels and scalars of a structure as channels, in the order of its schema."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from symdiff.state import Axes, Categorical, Field, Real, Schema, State


def channels(schema: Schema, axes: Axes) -> int:
    """Count the channels that ``encode`` makes.

    Parameters
    ----------
    schema : mapping of str to Field
        The types of the fields.
    axes : {"node", "pair", "whole"}
        Which fields are counted.

    Returns
    -------
    int
        The number of channels.

    Raises
    ------
    ValueError
        Through a field that is neither labels nor scalars.
    """
    return sum(_width(name, field) for name, field in schema.items() if field.axes == axes)


def encode(x: State, axes: Axes, dtype: torch.dtype) -> list[Tensor]:
    """Encode labels as one-hot vectors, and pass real channels on.

    Parameters
    ----------
    x : State
        B structures.
    axes : {"node", "pair", "whole"}
        Which fields are encoded.
    dtype : torch.dtype
        The type of the channels.

    Returns
    -------
    list of Tensor, (*axes, channels)
        One tensor for every field, in the order of the schema.
    """
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
