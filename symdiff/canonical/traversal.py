"""Depth-first and breadth-first orders of graphs, from a rank of their nodes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def traverse(adjacent: Tensor, rank: Tensor, mask: Tensor, order: Literal["depth", "breadth"]) -> Tensor:
    """The position of every node in a traversal, (B, N) int64; padding keeps its place.

    ``adjacent``: (B, N, N) bool; ``rank``: (B, N) a permutation, padding last. The traversal starts from the node of
    rank 0, takes neighbors by rank, and goes on from the unvisited node of least rank where a component is complete.
    Depth-first: the next node is a neighbor of the latest visited node that still has unvisited ones; breadth-first: of
    the earliest.
    """
    batch, nodes = rank.shape
    row = torch.arange(batch, device=rank.device) * nodes
    place = torch.arange(nodes, device=rank.device)
    position = place.expand(batch, nodes)
    waiting = mask
    link = torch.full_like(rank, nodes)  # how soon a node is reached by its visited neighbors; less is sooner
    for step in range(nodes):
        chosen = torch.where(waiting, link * nodes + rank, nodes * (nodes + 1)).argmin(1)
        here = (place == chosen[:, None]) & waiting
        position = torch.where(here, step, position)
        waiting = waiting & ~here
        reached = adjacent.reshape(-1, nodes).index_select(0, row + chosen) & here.any(1, keepdim=True)
        offer = nodes - 1 - step if order == "depth" else step
        link = torch.where(reached, link.clamp(max=offer), link)
    return position
