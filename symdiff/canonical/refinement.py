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
    """Partition the nodes by label, then by number of neighbors.

    Parameters
    ----------
    codes : Tensor, (B, N) int64
        Joint labels of the nodes.
    degrees : Tensor, (B, N) int64
        Numbers of neighbors.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (B, N) int64
        Ranks.
    """
    nodes = mask.shape[1]
    rank = torch.where(mask, 0, torch.arange(nodes, device=mask.device).expand(mask.shape))
    return split(rank, (codes * (nodes + 1) + degrees) * mask)[0]


def split(rank: Tensor, key: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split cells by keys.

    Parameters
    ----------
    rank : Tensor, (R, N) int64
        The partitions.
    key : Tensor, (R, N) int64
        From 0 to 2^47 - 1; cells are ordered by it.

    Returns
    -------
    rank : Tensor, (R, N) int64
        The finer partitions.
    before, after : Tensor, (R,) int64
        The numbers of cells.
    """
    ordered, place = ((rank << KEY_BITS) | key).sort(1)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    start = torch.where(first, torch.arange(rank.shape[1], device=rank.device), 0).cummax(1).values
    cells = ordered >> KEY_BITS
    before = 1 + (cells[:, 1:] != cells[:, :-1]).sum(1)
    return torch.empty_like(rank).scatter_(1, place, start), before, first.sum(1)


def neighborhoods(pairs: Tensor, rank: Tensor) -> Tensor:
    """Hash the multiset {(color of the pair ij, cell of j)} of every node i.

    For each pair color a random multiplier, for each cell a random number, summed modulo 2^64.

    Parameters
    ----------
    pairs : Tensor, (R, N, N) int64
        Random-looking colors of ordered pairs, 0 for none.
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    Tensor, (R, N) int64
        The hashes.
    """
    return (pairs * mix(rank + _COLOR)[:, None, :]).sum(-1)


def refine(pairs: Tensor, owner: Tensor, rank: Tensor) -> Tensor:
    """Compute the coarsest finer partitions whose cells agree on their neighbors.

    That is, on how many neighbors of each color their nodes have in each cell.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    owner : Tensor, (R,) int64
        The graph of every partition.
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    Tensor, (R, N) int64
        The refined partitions.
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
    """Hash what an ordered partition sees: for a discrete one, the whole relabelled graph.

    Relabelling a graph and its partition together changes nothing, nor does padding.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    owner : Tensor, (R,) int64
        The graph of every partition.
    rank : Tensor, (R, N) int64
        The partitions.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    Tensor, (R,) int64
        The hashes.
    """
    result = torch.empty_like(owner)
    for rows in pieces(rank):
        now = rank.index_select(0, rows)
        seen = mix(neighborhoods(pairs.index_select(0, owner[rows]), now) + mix(now + _ROW))
        result[rows] = (seen * mask.index_select(0, owner[rows])).sum(1)
    return result


def pieces(rank: Tensor) -> tuple[Tensor, ...]:
    """Divide partitions into portions to refine together.

    Parameters
    ----------
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    tuple of Tensor, (M,) int64
        The numbers of the rows of every portion.
    """
    return torch.arange(len(rank), device=rank.device).split(portion(rank.shape[1]))


def portion(nodes: int) -> int:
    """Choose how many graphs to refine together.

    2^15 pairs stay in a processor's cache, and torch does not make threads wait for one another over so few; graphs of
    many nodes want 256 rows all the same, up to 2^20 pairs (8 MB).

    Parameters
    ----------
    nodes : int
        N, the nodes of every graph.

    Returns
    -------
    int
        At least 1.
    """
    pairs = max(1, nodes * nodes)
    return max(1, 2**15 // pairs, min(256, 2**20 // pairs))


def discrete(rank: Tensor) -> Tensor:
    """Tell whether every cell is a single node.

    Parameters
    ----------
    rank : Tensor, (R, N) int64
        The partitions.

    Returns
    -------
    Tensor, (R,) bool
        Whether the partition is a permutation.
    """
    seen = torch.zeros_like(rank).scatter_(1, rank, 1)
    return seen.all(1)


def split_twins(pairs: Tensor, rank: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Order the members of every class of twins: nodes that any transposition may exchange.

    Any order is as good as another, for the permutations of a class are automorphisms.

    Parameters
    ----------
    pairs : Tensor, (B, N, N) int64
        Colors of ordered pairs.
    rank : Tensor, (B, N) int64
        The partitions.
    mask : Tensor, (B, N) bool
        Real nodes.

    Returns
    -------
    rank : Tensor, (B, N) int64
        The finer partitions.
    earlier : Tensor, (B, N) int64
        For every node the number of earlier twins: the product of (that + 1) is how many orders there were.
    """
    nodes = rank.shape[1]
    place = mix(torch.arange(nodes, device=rank.device) + _ROW)
    total = (pairs * place).sum(-1)
    outside = total[:, :, None] - pairs * place  # the row of i but for the pair ij
    twins = (outside == outside.mT) & (pairs == pairs.mT) & (rank[:, :, None] == rank[:, None, :])
    before = torch.arange(nodes, device=rank.device)
    earlier = (twins & mask[:, :, None] & mask[:, None, :] & (before < before[:, None])).sum(-1)
    return split(rank, earlier)[0], earlier
