"""Any group of permutations of n nodes, given by generators."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from symdiff.config.ranges import Index, Points
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric, permute_nodes
from symdiff.groups.schreier_sims import Chain
from symdiff.random import Generator, uniform
from symdiff.state import State


class PermutationGroup(Group):
    """The subgroup of S_n that ``generators`` generate, acting on structures with exactly n = ``nodes`` nodes.

    A generator is a list of preimages, as elements are: (g·x)_i = x_{g[i]}. Without generators the group is trivial.
    """

    def __init__(self, nodes: Points, generators: Sequence[Sequence[Index]] = ()) -> None:
        if nodes < 1:
            raise ValueError(f"nodes must be at least 1, got {nodes}")
        for g in generators:
            if sorted(g) != list(range(nodes)):
                raise ValueError(f"a generator needs to be a permutation of 0..{nodes - 1}, got {list(g)}")
        self.nodes, self.generators = nodes, [[int(i) for i in g] for g in generators]
        self._chain = Chain(nodes, np.array(self.generators, dtype=np.int64).reshape(-1, nodes))
        self._transversals = [torch.from_numpy(level.elements) for level in self._chain.levels]
        self._all = Symmetric()

    @property
    def order(self) -> int:
        """The number of elements."""
        return math.prod(len(level.elements) for level in self._chain.levels)

    def __contains__(self, g: Sequence[int] | Tensor) -> bool:
        """Whether the permutation ``g`` (n,) belongs to the group."""
        g = np.array([int(i) for i in g], dtype=np.int64)
        if sorted(g.tolist()) != list(range(self.nodes)):
            return False
        return bool((self._chain.sift(g[None])[0] == np.arange(self.nodes)).all())

    def elements(self) -> Tensor:
        """All elements, (order, n) int64; for small groups."""
        every = torch.arange(self.nodes)[None]
        for transversal in reversed(self._transversals):
            every = transversal[:, every].reshape(-1, self.nodes)
        return every

    def count(self, nodes: int) -> int:
        """The group's order."""
        return self.order

    def numbered(self, number: Tensor, nodes: int) -> Tensor:
        """The elements with the numbers (M,) from 0 to ``count`` - 1, in the order of ``elements``; for small groups."""
        return self.elements().to(number.device)[number]

    def number(self, g: Tensor, nodes: int) -> Tensor:
        """The numbers of elements, (M,) int64; for small groups."""
        return (g[:, None] == self.elements().to(g.device)).all(-1).long().argmax(1)

    def stabilizer(self, points: Sequence[int]) -> PermutationGroup:
        """The subgroup that fixes each of ``points``."""
        chain = Chain(self.nodes, self._chain.generators, list(points))
        fixing = (chain.generators[:, list(points)] == np.array(list(points), dtype=np.int64)).all(1)
        return PermutationGroup(self.nodes, chain.generators[fixing].tolist())

    def orbits(self) -> Tensor:
        """The orbit of every node, (n,) int64: numbers from 0, in the order of the orbits' first nodes."""
        return _components(self.nodes, np.array(self.generators, dtype=np.int64).reshape(-1, self.nodes))

    def pair_orbits(self) -> Tensor:
        """The orbit of every ordered pair of nodes, (n, n) int64, numbered by first appearance: O(r n²) for r generators.

        A permutation-equivariant network that sees these colors is equivariant exactly under the 2-closure of the group
        (Goel et al., Any-Subgroup Equivariant Networks via Symmetry Breaking, ICLR 2026).
        """
        moves = [(np.array(g)[:, None] * self.nodes + np.array(g)).reshape(-1) for g in self.generators]
        pairs = _components(self.nodes**2, np.array(moves, dtype=np.int64).reshape(-1, self.nodes**2))
        return pairs.view(self.nodes, self.nodes)

    def identity(self, mask: Tensor) -> Tensor:
        return self._all.identity(self._checked(mask))

    def sample(self, mask: Tensor, generator: Generator | None = None) -> Tensor:
        """A product of uniform members of the transversals of the stabilizer chain, (B, n) int64."""
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
        self._checked(x.mask)
        return permute_nodes(g, x)

    def _checked(self, mask: Tensor) -> Tensor:
        if mask.shape[1] != self.nodes or not bool(mask.all()):
            sizes = sorted(set(mask.sum(1).tolist()))
            raise ValueError(f"the group permutes {self.nodes} nodes, got structures of {sizes} padded to {mask.shape[1]}")
        return mask


def _components(count: int, moves: np.ndarray) -> Tensor:
    """Union-find of the points 0..count-1 along ``moves`` (r, count), all unions of a generator at once."""
    parent = np.arange(count)
    merged = True
    while merged:
        merged = False
        for move in moves:
            a, b = parent, parent[move]
            low, high = np.minimum(a, b), np.maximum(a, b)
            if (low == high).all():
                continue
            merged = True
            np.minimum.at(parent, high.copy(), low)
            while (parent[parent] != parent).any():
                parent = parent[parent]
    return torch.from_numpy(np.unique(parent, return_inverse=True)[1].reshape(-1))
