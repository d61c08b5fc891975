"""Any group of permutations of n nodes, given by generators."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from symdiff.config.ranges import Index, Points
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric, permute_nodes
from symdiff.groups.schreier_sims import StabilizerChain
from symdiff.random import Generator, uniform
from symdiff.state import State


class PermutationGroup(Group[Tensor]):
    """Any subgroup of S_n, by its generators, acting on structures with exactly n nodes.

    Elements are (B, n) int64 preimages: (g·x)_i = x_{g[i]}.

    Parameters
    ----------
    nodes : int
        n, at least 1.
    generators : sequence of sequence of int
        Permutations of 0..n-1 that generate the group, as preimages. Without them the group is trivial.

    Raises
    ------
    ValueError
        Where ``nodes`` is less than 1 or a generator is no permutation of as many.
    """

    def __init__(self, nodes: Points, generators: Sequence[Sequence[Index]] = ()) -> None:
        if nodes < 1:
            raise ValueError(f"nodes must be at least 1, got {nodes}")
        for g in generators:
            if sorted(g) != list(range(nodes)):
                raise ValueError(f"a generator needs to be a permutation of 0..{nodes - 1}, got {list(g)}")
        self.nodes, self.generators = nodes, [[int(i) for i in g] for g in generators]
        self._all = Symmetric()

    @cached_property
    def _chain(self) -> StabilizerChain:
        # only when elements are asked for: orbits of thousands of nodes need the generators alone
        return StabilizerChain(self.nodes, np.array(self.generators, dtype=np.int64).reshape(-1, self.nodes))

    @cached_property
    def _transversals(self) -> list[Tensor]:
        return [torch.from_numpy(level.elements) for level in self._chain.levels]

    @property
    def order(self) -> int:
        """The number of elements."""
        return math.prod(len(level.elements) for level in self._chain.levels)

    def __contains__(self, g: Sequence[int] | Tensor) -> bool:
        """Whether the permutation ``g`` (n,) belongs to the group."""
        images = [int(i) for i in g]
        if sorted(images) != list(range(self.nodes)):
            return False
        return bool((self._chain.sift(np.array([images], dtype=np.int64))[0] == np.arange(self.nodes)).all())

    def elements(self) -> Tensor:
        """List all elements, (order, n) int64; for small groups."""
        every = torch.arange(self.nodes)[None]
        for transversal in reversed(self._transversals):
            every = transversal[:, every].reshape(-1, self.nodes)
        return every

    def count(self, nodes: int) -> int:
        """Count the elements.

        Parameters
        ----------
        nodes : int
            Not used; groups without a fixed degree need it.

        Returns
        -------
        int
            The group's order.
        """
        return self.order

    def from_number(self, number: Tensor, nodes: int) -> Tensor:
        """Make elements from their numbers, in the order of ``elements``.

        All elements are listed, so the group must be small.

        Parameters
        ----------
        number : Tensor, (M,) int64
            From 0 to ``count`` - 1.
        nodes : int
            Not used; groups without a fixed degree need it.

        Returns
        -------
        Tensor, (M, n) int64
            The elements as preimages.
        """
        return self.elements().to(number.device)[number]

    def number(self, g: Tensor, nodes: int) -> Tensor:
        """Number elements, in the order of ``elements``.

        All elements are listed, so the group must be small.

        Parameters
        ----------
        g : Tensor, (M, n) int64
            Elements as preimages.
        nodes : int
            Not used; groups without a fixed degree need it.

        Returns
        -------
        Tensor, (M,) int64
            From 0 to ``count`` - 1.
        """
        return (g[:, None] == self.elements().to(g.device)).all(-1).long().argmax(1)

    def stabilizer(self, points: Sequence[int]) -> PermutationGroup:
        """Find the subgroup that fixes each of some nodes.

        Parameters
        ----------
        points : sequence of int
            The nodes, from 0 to n - 1.

        Returns
        -------
        PermutationGroup
            The pointwise stabilizer.
        """
        chain = StabilizerChain(self.nodes, self._chain.generators, list(points))
        fixing = (chain.generators[:, list(points)] == np.array(list(points), dtype=np.int64)).all(1)
        return PermutationGroup(self.nodes, chain.generators[fixing].tolist())

    def orbits(self) -> Tensor:
        """Number the orbits of the nodes, (n,) int64 from 0, in the order of the orbits' first nodes."""
        return merge_along(self.nodes, [np.array(g) for g in self.generators])

    def pair_orbits(self) -> Tensor:
        """Number the orbits of ordered pairs of nodes, (n, n) int64, by first appearance: O(r n²) for r generators.

        A permutation-equivariant network that sees these colors is equivariant exactly under the 2-closure of the
        group.

        References
        ----------
        Goel, Lim, Lawrence, Jegelka, Huang: Any-Subgroup Equivariant Networks via Symmetry Breaking (ICLR 2026,
        https://arxiv.org/abs/2603.19486).
        """
        images = (np.array(g) for g in self.generators)
        pairs = merge_along(self.nodes**2, ((g[:, None] * self.nodes + g).reshape(-1) for g in images))
        return pairs.view(self.nodes, self.nodes)

    def identity(self, mask: Tensor) -> Tensor:
        return self._all.identity(self._check(mask))

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw a product of uniform members of the transversals of the stabilizer chain, (B, n) int64."""
        g = self.identity(mask)
        if not self._transversals:
            return g
        draws = uniform((len(mask), len(self._transversals)), generator, mask.double())
        for level in reversed(range(len(self._transversals))):
            transversal = self._transversals[level].to(mask.device)
            chosen = (draws[:, level] * len(transversal)).long()
            g = self.compose(g, transversal[chosen])
        return g

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return self._all.compose(g, h)

    def inverse(self, g: Tensor) -> Tensor:
        return self._all.inverse(g)

    def act(self, g: Tensor, x: State) -> State:
        self._check(x.mask)
        return permute_nodes(g, x)

    def _check(self, mask: Tensor) -> Tensor:
        if mask.shape[1] != self.nodes or not bool(mask.all()):
            sizes = sorted(set(mask.sum(1).tolist()))
            raise ValueError(
                f"the group permutes {self.nodes} nodes, got structures of {sizes} padded to {mask.shape[1]}"
            )
        return mask


def merge_along(count: int, moves: Iterable[np.ndarray]) -> Tensor:
    """Number the orbits of points along permutations, by first appearance.

    One permutation after the other: its cycles join the orbits so far, so that few orbits are left to join after the
    first.

    Parameters
    ----------
    count : int
        The points are 0..count-1.
    moves : iterable of ndarray
        Permutations, each (count,).

    Returns
    -------
    Tensor, (count,) int64
        The orbit of every point.
    """
    labels, orbits = np.arange(count), count
    for move in moves:
        if orbits == count:
            joined = csr_matrix((np.ones(count, np.int8), move, np.arange(count + 1)), shape=(count, count))
        else:
            pairs = np.unique(labels * orbits + labels[move])
            joined = coo_matrix(
                (np.ones(len(pairs), np.int8), (pairs // orbits, pairs % orbits)), shape=(orbits, orbits)
            )
        orbits, merged = connected_components(joined, directed=True, connection="weak")
        labels = merged.astype(np.int64)[labels]
    first = np.full(orbits, count)
    np.minimum.at(first, labels, np.arange(count))
    rank = np.empty(orbits, np.int64)
    rank[first.argsort()] = np.arange(orbits)
    return torch.from_numpy(rank[labels])
