"""Color refinement of many graphs at once, on ordered partitions.

A partition of the nodes into ordered cells is a tensor of *ranks*, (R, N) int64: the rank of a node is the number of
nodes in earlier cells, so that a discrete partition is a permutation. Padded nodes keep their place as the rank, alone
in their cells. A cell is only ever split, by keys that do not depend on the order of the nodes; a collision of hashed
keys leaves a cell coarser than it could be, for every order of the nodes alike, and harms nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.canonical.coloring import KEY_BITS
from symdiff.random import mix

_SHIFT = 64 - KEY_BITS
_COLOR, _ROW = 0x5D1FF0C0105, 0x5D1FF0B0B5


def initial(codes: Tensor, degrees: Tensor, mask: Tensor) -> Tensor:
    """The partition of the nodes by label, then by number of neighbors."""
    nodes = mask.shape[1]
    rank = torch.where(mask, 0, torch.arange(nodes, device=mask.device).expand(mask.shape))
    return split(rank, (codes * (nodes + 1) + degrees) * mask)[0]


def split(rank: Tensor, key: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split cells by ``key`` (below 2^47): the new ranks, and the number of cells before and after, (R,)."""
    ordered, place = ((rank << KEY_BITS) | key).sort(1)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    start = torch.where(first, torch.arange(rank.shape[1], device=rank.device), 0).cummax(1).values
    cells = ordered >> KEY_BITS
    before = 1 + (cells[:, 1:] != cells[:, :-1]).sum(1)
    return torch.empty_like(rank).scatter_(1, place, start), before, first.sum(1)


def neighborhoods(pairs: Tensor, rank: Tensor) -> Tensor:
    """A 64-bit hash of the multiset {(color of the pair ij, cell of j)} of every node i, (R, N) int64.

    For each pair color a random multiplier, for each cell a random number, summed modulo 2^64.
    """
    return (pairs * mix(rank + _COLOR)[:, None, :]).sum(-1)


def refine(pairs: Tensor, owner: Tensor, rank: Tensor) -> Tensor:
    """The coarsest partition below ``rank`` whose cells agree on their neighbors.

    That is, on how many neighbors of each kind their nodes have in each cell. ``pairs``: (B, N, N) pair colors;
    ``owner``: (R,) which of the graphs a row of ``rank`` (R, N) belongs to.
    """
    rank = rank.clone()
    for rows in pieces(rank):
        active, colors = rows, pairs.index_select(0, owner[rows])
        while len(active):
            now = rank.index_select(0, active)
            key = (mix(neighborhoods(colors, now)) >> _SHIFT) & ((1 << KEY_BITS) - 1)
            finer, before, after = split(now, key)
            rank.index_copy_(0, active, finer)
            unfinished = ((after > before) & (after < rank.shape[1])).nonzero()[:, 0]
            if len(unfinished) < len(active):
                active, colors = active.index_select(0, unfinished), colors.index_select(0, unfinished)
    return rank


def fingerprint(pairs: Tensor, owner: Tensor, rank: Tensor, mask: Tensor) -> Tensor:
    """A 64-bit hash of what the ordered partition sees, (R,): for a discrete one, of the whole relabelled graph.

    Invariant: relabelling a graph and its partition together changes nothing, nor does padding (``mask``: (B, N), the
    real nodes).
    """
    result = torch.empty_like(owner)
    for rows in pieces(rank):
        now = rank.index_select(0, rows)
        seen = mix(neighborhoods(pairs.index_select(0, owner[rows]), now) + mix(now + _ROW))
        result[rows] = (seen * mask.index_select(0, owner[rows])).sum(1)
    return result


def pieces(rank: Tensor) -> tuple[Tensor, ...]:
    """The numbers of the rows, in portions to refine together."""
    return torch.arange(len(rank), device=rank.device).split(portion(rank.shape[1]))


def portion(nodes: int) -> int:
    """How many graphs of ``nodes`` nodes to refine together.

    2^15 pairs stay in a processor's cache, and torch does not make threads wait for one another over so few; graphs of
    many nodes want 256 rows all the same, up to 2^20 pairs (8 MB).
    """
    pairs = max(1, nodes * nodes)
    return max(1, 2**15 // pairs, min(256, 2**20 // pairs))


def discrete(rank: Tensor) -> Tensor:
    """Whether every cell is a single node, (R,) bool."""
    seen = torch.zeros_like(rank).scatter_(1, rank, 1)
    return seen.all(1)


def split_twins(pairs: Tensor, rank: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Order the members of every class of twins: nodes that any transposition may exchange.

    Any order is as good as another, for the permutations of a class are automorphisms. Returns the finer partition and,
    for every node, the number of earlier twins (B, N): the product of (that + 1) is how many orders there were.
    """
    nodes = rank.shape[1]
    place = mix(torch.arange(nodes, device=rank.device) + _ROW)
    total = (pairs * place).sum(-1)
    outside = total[:, :, None] - pairs * place  # the row of i but for the pair ij
    twins = (outside == outside.mT) & (pairs == pairs.mT) & (rank[:, :, None] == rank[:, None, :])
    before = torch.arange(nodes, device=rank.device)
    earlier = (twins & mask[:, :, None] & mask[:, None, :] & (before < before[:, None])).sum(-1)
    return split(rank, earlier)[0], earlier
