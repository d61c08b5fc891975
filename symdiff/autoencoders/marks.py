"""What tells the nodes of a structure apart, as channels: with it a sum over nodes mixes nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.nn.features import channels, encode
from symdiff.state import Categorical, Field, Real, Schema, State


def count_marks(code: Schema) -> int:
    """Count the channels that ``mark`` makes of a z.

    Parameters
    ----------
    code : Schema
        The schema of z.

    Returns
    -------
    int
        K, at least 1.
    """
    return 1 + channels(_readable(code), "node")


def mark(z: State, dtype: torch.dtype) -> Tensor:
    """Turn z into channels of nodes: a 1, then the labels and scalars of every node's z.

    Parameters
    ----------
    z : State
        The symmetry-breaking input.
    dtype : torch.dtype
        The floating type of the result.

    Returns
    -------
    Tensor
        (B, N, K), zero at padding.
    """
    here = z.mask[..., None].to(dtype)
    return torch.cat([here, *(part * here for part in encode(z.only(*_readable(z.schema)), "node", dtype))], -1)


def _readable(schema: Schema) -> dict[str, Field]:
    """The labels and scalars."""
    return {
        name: field
        for name, field in schema.items()
        if isinstance(field, Categorical) or (isinstance(field, Real) and not field.vector)
    }
