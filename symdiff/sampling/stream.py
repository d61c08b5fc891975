"""Samples in blocks: how large they are, and how a process hands one to another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from safetensors.torch import load, save

from symdiff.domains.base import Domain
from symdiff.sampling.batches import BLOCK
from symdiff.sampling.samples import Samples
from symdiff.state import State

LARGEST = 8192
"""Structures in a block: batches of every size are then full."""
ENTRIES = 1 << 24
"""Numbers in a block."""


def block_size(domain: Domain, nodes: int) -> int:
    """Choose how many structures are in memory at a time.

    Parameters
    ----------
    domain : Domain
        What they are.
    nodes : int
        The most nodes of one of them.

    Returns
    -------
    int
        A multiple of ``BLOCK``.
    """
    entries = sum(math.prod(field.shape(1, nodes)) for field in domain.schema.values())
    return max(BLOCK, min(LARGEST, ENTRIES // entries // BLOCK * BLOCK))


def join(parts: Sequence[Samples]) -> Samples:
    """Join several samples into one.

    Parameters
    ----------
    parts : sequence of Samples
        Of one domain, at least one, all with log weights or all without.

    Returns
    -------
    Samples
        All batches.
    """
    states, rows = [state for one in parts for state in one.states], [rows for one in parts for rows in one.rows]
    log_weights = [weights for one in parts for weights in one.log_weights or ()]
    return Samples(parts[0].domain, states, rows, log_weights or None)


def pack(samples: Samples) -> bytes:
    """Write samples as bytes.

    Parameters
    ----------
    samples : Samples
        Any.

    Returns
    -------
    bytes
        In the format of safetensors.
    """
    state = samples.state()
    tensors = {"mask": state.mask, "rows": torch.cat(list(samples.rows)).sort().values}
    tensors |= {f"{place}.{name}": state[name] for place, name in enumerate(state.schema)}
    if samples.log_weights is not None:
        tensors["log_weights"] = samples.weigh().log_weights
    return save({name: tensor.contiguous() for name, tensor in tensors.items()})


def unpack(content: bytes, domain: Domain) -> Samples:
    """Read samples that ``pack`` wrote.

    Parameters
    ----------
    content : bytes
        What ``pack`` returned.
    domain : Domain
        What the structures are.

    Returns
    -------
    Samples
        In one batch, in the order of the rows.
    """
    tensors = load(content)
    mask, rows, log_weights = tensors.pop("mask"), tensors.pop("rows"), tensors.pop("log_weights", None)
    keys = sorted(tensors, key=lambda key: int(key.partition(".")[0]))
    values = {key.partition(".")[2]: tensors[key] for key in keys}
    state = State(mask, {name: domain.schema[name] for name in values}, values)
    return Samples(domain, [state], [rows], None if log_weights is None else [log_weights])
