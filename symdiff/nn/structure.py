"""Features that message passing cannot see: cycles and spectra of the noisy graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from symdiff.state import Categorical, State

Feature = Literal["cycles", "walks", "spectrum"]
LENGTHS = {"cycles": (3, 0), "walks": (8, 0), "spectrum": (0, 6)}
"""Channels that each feature gives a node and, at graph level, a structure."""


def adjacency(x: State, dtype: torch.dtype = torch.float32) -> Tensor:
    """Make adjacency matrices: 1 where any undirected field of labels is not 0.

    Parameters
    ----------
    x : State
        B graphs.
    dtype : torch.dtype
        The type of the result.

    Returns
    -------
    Tensor, (B, N, N)
        The matrices.
    """
    edges = torch.zeros(*x.mask.shape, x.mask.shape[1], dtype=torch.bool, device=x.device)
    for name, field in x.schema.items():
        if isinstance(field, Categorical) and field.symmetric:
            edges = edges | (x[name] > 0)
    return edges.to(dtype)


def cycles(a: Tensor) -> Tensor:
    """Count the cycles of 3, 4 and 5 nodes that pass through each node.

    From closed walks, less those that do not visit their nodes once.

    Parameters
    ----------
    a : Tensor, (B, N, N)
        Adjacency matrices of simple graphs.

    Returns
    -------
    Tensor, (B, N, 3)
        The counts.

    References
    ----------
    Alon, Yuster, Zwick: Finding and counting given length cycles (Algorithmica 1997).
    """
    degree = a.sum(-1)
    two = a @ a
    three = two @ a
    triangles = three.diagonal(dim1=-2, dim2=-1)
    closed4 = (two * two).sum(-1)
    closed5 = (two * three).sum(-1)
    four = closed4 - degree * (degree - 1) - _around(a, degree)
    five = closed5 - 2 * triangles * degree - _around(a, triangles) + triangles
    # a triangle at a neighbor, met on the way out and back, is counted once per edge into it
    five = five - 2 * (a * two * (degree[:, None, :] - 2)).sum(-1)
    return torch.stack([triangles, four, five], -1) / 2


def _around(a: Tensor, value: Tensor) -> Tensor:
    return (a @ value[..., None])[..., 0]


def walks(a: Tensor, mask: Tensor) -> Tensor:
    """Compute the probability that a random walk is back after 1 to 8 steps.

    Parameters
    ----------
    a : Tensor, (B, N, N)
        Adjacency matrices.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (B, N, 8)
        The probabilities.
    """
    step = a / a.sum(-1, keepdim=True).clamp_min(1)
    power, back = step, []
    for _ in range(8):
        back.append(power.diagonal(dim1=-2, dim2=-1))
        power = power @ step
    return torch.stack(back, -1) * mask[..., None]


def spectrum(a: Tensor, mask: Tensor) -> Tensor:
    """Compute the number of connected components per node and the five smallest other eigenvalues of the Laplacian.

    Parameters
    ----------
    a : Tensor, (B, N, N)
        Adjacency matrices.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (B, 6)
        Eigenvalues ascending, 0 where there are no more.
    """
    laplacian = torch.diag_embed(a.sum(-1)) - a
    # padding is sent above every eigenvalue of a real node
    beyond = 2.0 * a.shape[-1] + 1
    values = torch.linalg.eigvalsh(laplacian + torch.diag_embed((~mask) * beyond))
    zeros = (values < 1e-4).sum(-1)
    place = zeros[:, None] + torch.arange(5, device=a.device)
    last = values.shape[-1] - 1
    smallest = values.gather(1, place.clamp_max(last))
    smallest = torch.where((place <= last) & (smallest < beyond - 1e-3), smallest, 0.0)
    return torch.cat([(zeros / mask.sum(1).clamp_min(1))[:, None], smallest], -1)


def features(x: State, chosen: Sequence[Feature], dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Compute the chosen features, compressed by log(1 + ·).

    Parameters
    ----------
    x : State
        B graphs.
    chosen : sequence of {"cycles", "walks", "spectrum"}
        Which features.
    dtype : torch.dtype
        The type of the features.

    Returns
    -------
    nodes : Tensor, (B, N, C)
        Features of the nodes.
    whole : Tensor, (B, C')
        Features of the graphs.
    """
    a = adjacency(x, dtype)
    nodes, whole = [a.new_zeros(*x.mask.shape, 0)], [a.new_zeros(len(x), 0)]
    if "cycles" in chosen:
        nodes.append(cycles(a))
    if "walks" in chosen:
        nodes.append(walks(a, x.mask))
    if "spectrum" in chosen:
        whole.append(spectrum(a, x.mask))
    return torch.cat(nodes, -1).clamp_min(0).log1p(), torch.cat(whole, -1).clamp_min(0).log1p()
