"""Ways through the latents: the neighborhood of one, and the path between two."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.random import Generator, normal


def neighbors(latents: Tensor, std: float, count: int, generator: Generator | None = None) -> Tensor:
    """Each latent with normal noise, ``count`` times.

    Parameters
    ----------
    latents : Tensor
        (M, dim).
    std : float
        The standard deviation of the noise, in units of the latents' own root mean square.
    count : int
        Neighbors of each.
    generator : Generator, optional
        M·count rows.

    Returns
    -------
    Tensor
        (M·count, dim), those of a latent behind each other, with its own root mean square.
    """
    repeated = latents.repeat_interleave(count, 0)
    scale = _rms(repeated)
    moved = repeated + std * scale * normal(tuple(repeated.shape), generator, repeated)
    return moved * scale / _rms(moved)


def interpolate(start: Tensor, end: Tensor, count: int) -> Tensor:
    """Walk from one latent to another along the great circle.

    Parameters
    ----------
    start, end : Tensor
        (dim,).
    count : int
        Latents of the walk, both ends among them, at least 2.

    Returns
    -------
    Tensor
        (count, dim).
    """
    share = torch.linspace(0, 1, count)[:, None].to(start)
    first, last = start / start.norm(), end / end.norm()
    angle = (first @ last).clamp(-1, 1).arccos().clamp_min(1e-4)
    direction = (((1 - share) * angle).sin() * first + (share * angle).sin() * last) / angle.sin()
    return direction * ((1 - share) * start.norm() + share * end.norm())


def _rms(latents: Tensor) -> Tensor:
    return latents.square().mean(-1, keepdim=True).sqrt()
