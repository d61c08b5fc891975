"""Depth-first and breadth-first orders of graphs, from a rank of their nodes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def traverse(adjacent: Tensor, rank: Tensor, mask: Tensor, order: Literal["depth", "breadth"]) -> Tensor:
    """Compute the position of every node in a traversal; padding keeps its place.

    The traversal starts from the node of rank 0, takes neighbors by rank, and goes on from the unvisited node of least
    rank where a component is complete. Depth-first: the next node is a neighbor of the latest visited node that still
    has unvisited ones; breadth-first: of the earliest.

    Parameters
    ----------
    adjacent : Tensor, (B, N, N) bool
        Which ordered pairs are edges.
    rank : Tensor, (B, N) int64
        A permutation, padding last.
    mask : Tensor, (B, N) bool
        Real nodes.
    order : {"depth", "breadth"}
        The kind of traversal.

    Returns
    -------
    Tensor, (B, N) int64
        The positions.
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
