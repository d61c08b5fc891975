"""A structure with categorical fields, read as a complete graph whose nodes and ordered pairs have colors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.random import mix
from symdiff.state import Categorical, State

KEY_BITS = 47
"""Bits of a sorting key; the 16 above hold a node's rank, the sign stays free."""


def named_fields(x: State, names: Sequence[str] | None) -> list[str]:
    """List the fields that are read, in the order of the schema.

    Parameters
    ----------
    x : State
        B structures.
    names : sequence of str, optional
        The fields; without them all of x.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    ValueError
        For a field that is missing or has no labels: each must be Categorical.
    """
    chosen = list(x.schema) if names is None else list(names)
    for name in chosen:
        if name not in x.schema:
            raise ValueError(f"field {name!r} is not in the structure, which has {sorted(x.schema)}")
        if not isinstance(x.schema[name], Categorical):
            kind = type(x.schema[name]).__name__
            raise ValueError(
                f"field {name!r} needs labels (Categorical) to order nodes by, got {kind}; name the fields to use"
            )
    return [name for name in x.schema if name in chosen]


@dataclass(frozen=True)
class Colored:
    """Graphs with colored nodes and ordered pairs.

    Attributes
    ----------
    mask : Tensor
        (B, N) bool, the real nodes.
    nodes : Tensor
        (B, N) joint labels.
    pairs : Tensor
        (B, N, N) random-looking 64-bit colors of the ordered pairs of distinct real nodes, zero elsewhere.
    edges : Tensor
        (B, N, N) bool, pairs with a label other than 0.
    wholes : Tensor
        (B,) joint graph-level labels.
    """

    mask: Tensor
    nodes: Tensor
    pairs: Tensor
    edges: Tensor
    wholes: Tensor


def read(x: State, names: list[str]) -> Colored:
    """Read fields as colors.

    Parameters
    ----------
    x : State
        B structures.
    names : list of str
        The Categorical fields.

    Returns
    -------
    Colored
        Graphs with colored nodes and pairs.
    """
    distinct = ~torch.eye(x.mask.shape[1], dtype=torch.bool, device=x.device)
    codes = pair_codes(x, names)
    pairs = mix(codes + 1) * (x.mask[:, :, None] & x.mask[:, None, :] & distinct)
    return Colored(x.mask, node_codes(x, names), pairs, (codes != 0) & distinct, whole_codes(x, names))


def node_codes(x: State, names: list[str]) -> Tensor:
    """Compute the joint label of every node.

    Of its node fields, then of what directed pair fields have on the diagonal.

    Parameters
    ----------
    x : State
        B structures.
    names : list of str
        The Categorical fields.

    Returns
    -------
    Tensor, (B, N) int64
        The labels; below 2^31.

    Raises
    ------
    ValueError
        For a field without labels, or more than 2^31 joint labels.
    """
    labels = []
    for name in names:
        field = _labels(x, name)
        if field.axes == "node":
            labels.append((x[name], field.classes))
        elif field.axes == "pair" and not field.undirected:
            labels.append((x[name].diagonal(dim1=1, dim2=2), field.classes))
    return _join(labels, KEY_BITS - 16, x.mask)


def pair_codes(x: State, names: list[str]) -> Tensor:
    """Compute the joint label of every ordered pair, of both directions where a field is directed.

    Parameters
    ----------
    x : State
        B structures.
    names : list of str
        The Categorical fields.

    Returns
    -------
    Tensor, (B, N, N) int64
        The labels; 0 is no edge.

    Raises
    ------
    ValueError
        For a field without labels, or more than 2^62 joint labels.
    """
    shape = x.mask[:, :, None].expand(-1, -1, x.mask.shape[1])
    labels = []
    for name in names:
        field = _labels(x, name)
        if field.axes == "pair":
            labels.append((x[name], field.classes))
            if not field.undirected:
                labels.append((x[name].mT, field.classes))
    return _join(labels, 62, shape)


def whole_codes(x: State, names: list[str]) -> Tensor:
    """Compute the joint label of every structure's graph-level fields.

    Parameters
    ----------
    x : State
        B structures.
    names : list of str
        The Categorical fields.

    Returns
    -------
    Tensor, (B,) int64
        The labels.

    Raises
    ------
    ValueError
        For a field without labels, or more than 2^62 joint labels.
    """
    labels = [(x[name], _labels(x, name).classes) for name in names if x.schema[name].axes == "whole"]
    return _join(labels, 62, x.mask[:, 0])


def _labels(x: State, name: str) -> Categorical:
    field = x.schema[name]
    if not isinstance(field, Categorical):
        raise ValueError(f"field {name!r} needs labels (Categorical) to order nodes by, got {type(field).__name__}")
    return field


def _join(labels: list[tuple[Tensor, int]], bits: int, like: Tensor) -> Tensor:
    """Labels as the digits of one number, the first counting most."""
    total = math.prod(classes for _, classes in labels)
    if total > 2**bits:
        raise ValueError(f"the fields have {total} joint labels, at most 2^{bits} fit")
    code = torch.zeros_like(like, dtype=torch.int64)
    for label, classes in labels:
        code = code * classes + label
    return code
