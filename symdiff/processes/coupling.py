"""Which noise a structure is led to: the nearest one that the noise's symmetries allow."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

ROUNDS, FAR = 2, 1e9


def nearest(points: Tensor, noise: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Find an order of the noise's nodes and a rotation that bring the noise near the points.

    Each round takes the best assignment of the nodes for the rotation so far (Hungarian algorithm), then the best
    rotation for that assignment (Kabsch, 1976), so that the squared distance of noise[order], rotated, from the points
    never grows. Where both are permuted or rotated alike, so are the results.

    Parameters
    ----------
    points, noise : Tensor
        (B, N, C, d), of mean zero over the nodes, zero in the padding.
    mask : Tensor
        (B, N) bool, the real nodes.

    Returns
    -------
    tuple of Tensor
        The order (B, N) int64, and the rotation (B, d, d) float64.

    References
    ----------
    Klein, Krämer, Noé: Equivariant Flow Matching (NeurIPS 2023).
    Song et al.: Equivariant Flow Matching with Hybrid Probability Transport for 3D Molecule Generation (NeurIPS 2023).
    """
    fixed, moving = points.double().cpu(), noise.double().cpu()
    apart = (mask[:, :, None] != mask[:, None]).cpu()
    turn = torch.eye(points.shape[-1], dtype=torch.float64).repeat(len(points), 1, 1)
    order = torch.arange(points.shape[1]).repeat(len(points), 1)
    for _ in range(ROUNDS):
        likeness = torch.einsum("bicd,bjcd->bij", fixed, moving @ turn.mT[:, None]).masked_fill(apart, -FAR)
        order = torch.from_numpy(
            np.stack([linear_sum_assignment(table, maximize=True)[1] for table in likeness.numpy()])
        )
        matched = moving.gather(1, order[:, :, None, None].expand_as(moving))
        u, _, v = torch.linalg.svd(torch.einsum("bicd,bice->bde", fixed, matched))
        side = torch.linalg.det(u @ v).sign()
        turn = torch.cat([u[..., :-1], u[..., -1:] * side[:, None, None]], -1) @ v
    return order.to(points.device), turn.to(points.device)
