"""Depth-first and breadth-first orders of graphs, from a rank of their nodes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def traverse(adjacent: Tensor, rank: Tensor, mask: Tensor, order: Literal["depth", "breadth"]) -> Tensor:
    """The position of every node in a traversal, (B, N) int64; padding keeps its place.

    ``adjacent``: (B, N, N) bool; ``rank``: (B, N) a permutation, padding last. The traversal starts from the node of rank 0,
    takes neighbors by rank, and goes on from the unvisited node of least rank where a component is complete. Depth-first:
    the next node is a neighbor of the latest visited node that still has unvisited ones; breadth-first: of the earliest.
    """
    batch, nodes = rank.shape
    rows = torch.arange(batch, device=rank.device)
    position = torch.arange(nodes, device=rank.device).expand(batch, nodes).clone()
    waiting = mask.clone()
    link = torch.full_like(rank, nodes)  # how soon a node is reached by its visited neighbors; less is sooner
    for step in range(nodes):
        key = torch.where(waiting, link * nodes + rank, nodes * (nodes + 1))
        chosen = key.argmin(1)
        live = waiting[rows, chosen]
        position[rows[live], chosen[live]] = step
        waiting[rows, chosen] = False
        reached = adjacent[rows, chosen] & live[:, None]
        offer = nodes - 1 - step if order == "depth" else step
        link = torch.where(reached, link.clamp(max=offer), link)
    return position
