"""Which noise a structure is led to: the nearest one that the noise's symmetries allow."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

ROUNDS, FAR = 2, 1e9


def nearest(points: Tensor, noise: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """A numbering of the noise's nodes (B, N) int64 and a rotation (B, d, d) that bring the noise near the points.

    ``points`` and ``noise``: (B, N, C, d), centered, zero where ``mask`` (B, N) is not; (noise[numbering], rotated) has
    then a small squared distance from the points: each round takes the best assignment of the nodes for the rotation so
    far (Hungarian algorithm), then the best rotation for that assignment (Kabsch, 1976), so that the distance never
    grows. Where both are permuted or turned alike, so are the answers.

    Klein, Krämer and Noé, Equivariant flow matching (NeurIPS 2023); Song et al., Equivariant flow matching with hybrid
    probability transport for 3D molecule generation (NeurIPS 2023).
    """
    fixed, moving = points.double().cpu(), noise.double().cpu()
    apart = (mask[:, :, None] != mask[:, None]).cpu()
    turn = torch.eye(points.shape[-1], dtype=torch.float64).repeat(len(points), 1, 1)
    for _ in range(ROUNDS):
        likeness = torch.einsum("bicd,bjcd->bij", fixed, moving @ turn.mT[:, None]).masked_fill(apart, -FAR)
        order = torch.from_numpy(
            np.stack([linear_sum_assignment(table, maximize=True)[1] for table in likeness.numpy()])
        )
        named = moving.gather(1, order[:, :, None, None].expand_as(moving))
        u, _, v = torch.linalg.svd(torch.einsum("bicd,bice->bde", fixed, named))
        side = torch.linalg.det(u @ v).sign()
        turn = torch.cat([u[..., :-1], u[..., -1:] * side[:, None, None]], -1) @ v
    return order.to(points.device), turn.to(points.device)
