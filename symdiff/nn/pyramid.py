"""Coarser and coarser clouds of points, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symdiff.nn.points import Edges, SeparableConvolution

RATIO = 4
"""A level has a node for so many of the level before."""

Kernels = Callable[[Tensor, Edges, int], Tensor]
"""From differences (B, M, k, 3), their edges and the level: what kernels know of them, (B, M, k, K, ·)."""


class Pyramid(nn.Module):
    """Coarser and coarser clouds of points, and the way back, with residuals.

    Down: the farthest points of each level, every one of which listens to its nearest ones of the level before. As
    U-Net does, on points. The farthest points and the nearest ones move with the structure, so that no symmetry of the
    kernels is lost. Costs little beside the finest level.

    Parameters
    ----------
    width : int
        Channels of a node and direction.
    basis : int
        Functions that kernels are made of.
    levels : int
        The number of levels coarser than the finest.
    neighbors : int
        How many nearest nodes a node listens to; 0 for all.
    widening : int
        The hidden width of the feed-forward parts, as a multiple of ``width``.

    References
    ----------
    Ronneberger et al.: U-Net (MICCAI 2015).

    Qi et al.: PointNet++ (NeurIPS 2017).
    """

    def __init__(self, width: int, basis: int, levels: int, neighbors: int = 0, widening: int = 4) -> None:
        super().__init__()
        self.neighbors = neighbors
        self.down = nn.ModuleList(SeparableConvolution(width, basis, widening) for _ in range(levels))
        self.up = nn.ModuleList(SeparableConvolution(width, basis, widening) for _ in range(levels))

    def forward(self, h: Tensor, position: Tensor, mask: Tensor, kernels: Kernels, around: Tensor | None) -> Tensor:
        """Apply all levels, down and back up.

        Parameters
        ----------
        h : Tensor, (B, N, K, width)
            Features of the nodes.
        position : Tensor, (B, N, 3)
            Their positions.
        mask : Tensor, (B, N) bool
            Real nodes.
        kernels : callable
            From differences (B, M, k, 3), their edges and the level to functions of the edges, (B, M, k, K, basis).
        around : Tensor, (K, K, basis), or None
            See ``SeparableConvolution``.

        Returns
        -------
        Tensor, (B, N, K, width)
            Features of the nodes.
        """
        finer = []
        for level, block in enumerate(self.down, 1):
            finer.append((h, position, mask))
            chosen, filled = farthest(position, mask, -(-mask.sum(1) // RATIO))
            rows = torch.arange(len(mask), device=mask.device)[:, None]
            coarse = position[rows, chosen] * filled[..., None]
            h = self._move(
                block,
                h,
                position,
                mask,
                h[rows, chosen] * filled[..., None, None],
                coarse,
                filled,
                kernels,
                around,
                level,
            )
            position, mask = coarse, filled
        for level, block in reversed(list(enumerate(self.up, 1))):
            own, fine, real = finer[level - 1]
            h = self._move(block, h, position, mask, own, fine, real, kernels, around, level)
            position, mask = fine, real
        return h

    def _move(self, block, h, position, mask, own, target, real, kernels, around, level) -> Tensor:
        """What the nodes at ``target`` have once they have listened to those at ``position``."""
        edges = Edges.between(target, real, position, mask, self.neighbors)
        r = (edges.gather(position) - target[:, :, None]) * edges.real[..., None]
        return block(h, kernels(r, edges, level), around, edges, own)


@torch.no_grad()
def farthest(position: Tensor, mask: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Choose nodes, each the farthest from all before.

    The first is the farthest from the mean; among several that are as far the order of the nodes decides.

    Parameters
    ----------
    position : Tensor, (B, N, 3)
        Positions.
    mask : Tensor, (B, N) bool
        Real nodes.
    count : Tensor, (B,) int64
        How many nodes are chosen of every structure.

    Returns
    -------
    place : Tensor, (B, M) int64
        The chosen nodes.
    real : Tensor, (B, M) bool
        Which of them are not padding.
    """
    mean = (position * mask[..., None]).sum(1, keepdim=True) / mask.sum(1).clamp_min(1)[:, None, None]
    distance = (position - mean).square().sum(-1).masked_fill(~mask, -1.0)
    rows, places = torch.arange(len(mask), device=mask.device), []
    for k in range(int(count.max())):
        place = distance.argmax(1)
        places.append(place)
        from_it = (position - position[rows, place][:, None]).square().sum(-1)
        distance = from_it.masked_fill(~mask, -1.0) if not k else torch.minimum(distance, from_it)
    return torch.stack(places, 1), torch.arange(len(places), device=mask.device) < count[:, None]
