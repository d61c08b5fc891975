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
    """The best leaf below each refined partition: ranks (B, N) and the order of its automorphism group (B,) float64.

    ``pairs``: (B, N, N) pair colors; ``mask``: (B, N), the real nodes. The order is exact below 2^53. ``budget``: (B,)
    partitions that may be refined for each graph, without end if None; a graph for which it does not suffice has order
    0, and ranks that mean nothing.
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
    """Take one from what is ``left`` of the budget for every row, and tell whose graph still has some.

    ``left``: (B,); the result is (R,) bool.
    """
    left -= torch.zeros_like(left).scatter_add_(0, owner, torch.ones_like(owner))
    return left[owner] >= 0


def target(rank: Tensor) -> Tensor:
    """The nodes of the smallest cell that is not a single node, the first of several, (R, N) bool."""
    size = torch.zeros_like(rank).scatter_add_(1, rank, torch.ones_like(rank))
    cell = torch.where(size > 1, size, size.shape[1] + 1).argmin(1)  # argmin takes the first
    return rank == cell[:, None]


def expand(rank: Tensor) -> tuple[Tensor, Tensor]:
    """Each node of each target cell put before the rest of its cell: the parents' rows, and the new ranks."""
    cell = target(rank)
    parent, node = cell.nonzero(as_tuple=True)
    child = rank[parent] + cell[parent].to(rank.dtype)
    child[torch.arange(len(node), device=node.device), node] -= 1
    return parent, child


def merge(
    pairs: Tensor, mask: Tensor, owner: Tensor, rank: Tensor, weight: Tensor, left: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Let one partition stand for all that are seen to be equivalent to it."""
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
    """The fingerprint of some leaf below every partition, (R,).

    0 where a graph has one partition alone, or nothing ``left``.
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
