"""Particles: several candidates for one structure, of which the likely ones go on."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.random import Generator, uniform


def resample(log_weights: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Draw the particles to go on with, where the weights of a structure's particles differ much.

    Systematic resampling: a particle of share w of its structure's weight has P·w successors, rounded up or down at
    random. Where the weights are worth half as many equal ones or more, all stay.

    Parameters
    ----------
    log_weights : Tensor
        (B, P), of the P particles of B structures.
    generator : Generator, optional
        One uniform number for each structure.

    Returns
    -------
    tuple of Tensor
        (B·P,) int64, the rows to go on with, and their log weights, (B·P,).

    References
    ----------
    Del Moral, Doucet, Jasra: Sequential Monte Carlo Samplers (Journal of the Royal Statistical Society B 68, 2006).
    """
    count, particles = log_weights.shape
    share = log_weights.softmax(1)
    start = _draw(log_weights, generator)
    place = (torch.arange(particles, device=log_weights.device) + start) / particles
    heap = (share.cumsum(1) / share.sum(1, keepdim=True)).contiguous()
    chosen = torch.searchsorted(heap, place).clamp_max(particles - 1)
    poor = 1 / share.square().sum(1, keepdim=True) < particles / 2
    chosen = torch.where(poor, chosen, torch.arange(particles, device=log_weights.device))
    rows = chosen + particles * torch.arange(count, device=log_weights.device)[:, None]
    return rows.flatten(), torch.where(poor, 0.0, log_weights).flatten()


def pick(log_weights: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw one particle of each structure by its weight.

    Parameters
    ----------
    log_weights : Tensor
        (B, P), of the P particles of B structures.
    generator : Generator, optional
        One uniform number for each structure.

    Returns
    -------
    Tensor
        (B,) int64, rows of the B·P particles.
    """
    heap = log_weights.softmax(1).cumsum(1)
    chosen = torch.searchsorted(heap.contiguous(), _draw(log_weights, generator) * heap[:, -1:]).clamp_max(
        log_weights.shape[1] - 1
    )
    return chosen[:, 0] + log_weights.shape[1] * torch.arange(len(log_weights), device=log_weights.device)


def _draw(log_weights: Tensor, generator: Generator | None) -> Tensor:
    """A uniform number for each structure, (B, 1), from the stream of its first particle."""
    return uniform((log_weights.numel(), 1), generator, log_weights)[:: log_weights.shape[1]]
