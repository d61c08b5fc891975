"""Individualization: the search for the best discrete partition of graphs that color refinement leaves undecided.

All graphs go down their search trees together, one level at a time (McKay and Piperno, Practical graph isomorphism II,
2014). A level takes one cell of every partition, individualizes each of its nodes in turn, refines, and keeps of every
graph the partitions with the greatest fingerprint. Of those, two that an automorphism exchanges lead to the same
leaves: each is probed down to some leaf, and where the relabelled graphs agree one partition stands for both, with
their multiplicities added. Equivalent partitions that the probes do not recognize are kept, which costs time and
nothing else. The leaves that attain the best fingerprint form one coset of the automorphism group, so that their
multiplicities sum to its order.
"""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.canonical.refinement import discrete, fingerprint, refine


def search(pairs: Tensor, rank: Tensor, mask: Tensor, budget: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Find the best leaf below each refined partition.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    rank : Tensor, (B, N) int64
        One partition for every graph.
    mask : Tensor, (B, N) bool
        Real nodes.
    budget : Tensor, (B,) int64, optional
        Partitions that may be refined for each graph; without it any number.

    Returns
    -------
    best : Tensor, (B, N) int64
        The ranks; they mean nothing where the budget does not suffice.
    order : Tensor, (B,) float64
        The order of the automorphism group, exact below 2^53; 0 where the budget does not suffice.
    """
    best = rank.clone()
    order = torch.zeros(len(rank), dtype=torch.float64, device=rank.device)
    owner = torch.arange(len(rank), device=rank.device)
    weight = torch.ones_like(owner, dtype=torch.float64)
    left = torch.full_like(owner, torch.iinfo(torch.int64).max) if budget is None else budget.clone()
    while len(owner):
        done = discrete(rank)
        best[owner[done]], order[owner[done]] = rank[done], weight[done]
        owner, rank, weight = owner[~done], rank[~done], weight[~done]
        parent, child = expand(rank)
        owner, weight = owner[parent], weight[parent]
        within = spend(left, owner)
        owner, weight, child = owner[within], weight[within], child[within]
        rank = refine(pairs, owner, child)
        hashes = fingerprint(pairs, owner, rank, mask)
        greatest = torch.full((len(pairs),), torch.iinfo(torch.int64).min, device=rank.device)
        greatest.scatter_reduce_(0, owner, hashes, "amax")
        great = hashes == greatest[owner]
        owner, rank, weight = merge(pairs, mask, owner[great], rank[great], weight[great], left)
    return best, order * (left >= 0)


def spend(left: Tensor, owner: Tensor) -> Tensor:
    """Take one from the budget of its graph for every row, in place.

    Parameters
    ----------
    left : Tensor, (B,) int64
        What is left of the budgets; it is changed.
    owner : Tensor, (R,) int64
        The graph of every row.

    Returns
    -------
    Tensor, (R,) bool
        The rows whose graph had enough.
    """
    left -= torch.zeros_like(left).scatter_add_(0, owner, torch.ones_like(owner))
    return left[owner] >= 0


def target(rank: Tensor) -> Tensor:
    """Mark the nodes of the smallest cell that is not a single node, the first of several.

    Parameters
    ----------
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    Tensor, (R, N) bool
        The nodes of the cell.
    """
    size = torch.zeros_like(rank).scatter_add_(1, rank, torch.ones_like(rank))
    cell = torch.where(size > 1, size, size.shape[1] + 1).argmin(1)  # argmin takes the first
    return rank == cell[:, None]


def expand(rank: Tensor) -> tuple[Tensor, Tensor]:
    """Put each node of each target cell before the rest of its cell.

    Parameters
    ----------
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    parent : Tensor, (M,) int64
        The partition that each new one is made of.
    child : Tensor, (M, N) int64
        The new partitions, not refined yet.
    """
    cell = target(rank)
    parent, node = cell.nonzero(as_tuple=True)
    child = rank[parent] + cell[parent].to(rank.dtype)
    child[torch.arange(len(node), device=node.device), node] -= 1
    return parent, child


def merge(
    pairs: Tensor, mask: Tensor, owner: Tensor, rank: Tensor, weight: Tensor, left: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Let one partition stand for all that are seen to be equivalent to it.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    mask : Tensor, (B, N) bool
        Real nodes.
    owner : Tensor, (R,) int64
        The graph of every partition.
    rank : Tensor, (R, N) int64
        The partitions.
    weight : Tensor, (R,) float64
        How many partitions each stands for.
    left : Tensor, (B,) int64
        What is left of the budgets; it is changed.

    Returns
    -------
    owner, rank, weight : Tensor
        The same for the partitions that are kept, with the weights added.
    """
    leaves = probe(pairs, mask, owner, rank, left)
    place = leaves.argsort(stable=True)  # the first node stands for the others, whatever the rest of the batch is
    place = place[owner[place].argsort(stable=True)]
    owner, rank, weight, leaves = owner[place], rank[place], weight[place], leaves[place]
    first = torch.ones_like(owner, dtype=torch.bool)
    first[1:] = (owner[1:] != owner[:-1]) | (leaves[1:] != leaves[:-1])
    group = first.cumsum(0) - 1
    total = torch.zeros(int(first.sum()), dtype=weight.dtype, device=weight.device).scatter_add_(0, group, weight)
    return owner[first], rank[first], total


def probe(pairs: Tensor, mask: Tensor, owner: Tensor, rank: Tensor, left: Tensor) -> Tensor:
    """Hash some leaf below every partition.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    mask : Tensor, (B, N) bool
        Real nodes.
    owner : Tensor, (R,) int64
        The graph of every partition.
    rank : Tensor, (R, N) int64
        The partitions.
    left : Tensor, (B,) int64
        What is left of the budgets; it is changed.

    Returns
    -------
    Tensor, (R,) int64
        Fingerprints; 0 where a graph has one partition alone, or no budget left.
    """
    rivals = torch.zeros(len(pairs), dtype=torch.int64, device=owner.device).scatter_add_(
        0, owner, torch.ones_like(owner)
    )
    leaves = torch.zeros_like(owner)
    rows = (rivals[owner] > 1).nonzero()[:, 0]
    while len(rows):
        done = discrete(rank[rows])
        leaf = rows[done]
        leaves[leaf] = fingerprint(pairs, owner[leaf], rank[leaf], mask)
        rows = rows[~done]
        rows = rows[spend(left, owner[rows])]
        cell = target(rank[rows])
        some = cell.to(torch.uint8).argmax(1)
        now = rank[rows] + cell.to(rank.dtype)
        now[torch.arange(len(rows), device=rows.device), some] -= 1
        rank = rank.clone()
        rank[rows] = refine(pairs, owner[rows], now)
    return leaves
