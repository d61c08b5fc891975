"""Schreier and Sims: a stabilizer chain of a permutation group from its generators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Level:
    """One step of a stabilizer chain: the orbit of a base point, with a transversal.

    Parameters
    ----------
    point : int
        The base point.
    elements : ndarray, (m, n) int64
        ``elements[k]`` carries the base point to its k-th image.
    inverses : ndarray, (m, n) int64
        The inverses of ``elements``.
    row : ndarray, (n,) int64
        The k of every point, -1 outside the orbit.
    """

    point: int
    elements: np.ndarray
    inverses: np.ndarray
    row: np.ndarray


class StabilizerChain:
    """A base, a strong generating set, and the transversals of every stabilizer in the next.

    Permutations are arrays p: i -> p[i], and pq is first p, then q: (pq)[i] = q[p[i]]. Deterministic: Schreier's
    generators of every stabilizer are sifted until all fall through.

    Parameters
    ----------
    nodes : int
        n, the points that permutations move.
    generators : ndarray
        (G, n) int64 permutations.
    base : sequence of int
        Points that the base begins with.

    Raises
    ------
    ValueError
        For a point of ``base`` that is none of the n.

    References
    ----------
    Sims: Computational methods in the study of permutation groups (1970).

    Seress: Permutation Group Algorithms (2003), chapter 4.
    """

    def __init__(self, nodes: int, generators: np.ndarray, base: Sequence[int] = ()) -> None:
        self.nodes = nodes
        self.base = list(dict.fromkeys(int(point) for point in base))
        outside = [point for point in self.base if not 0 <= point < nodes]
        if outside:
            raise ValueError(f"points need to lie in 0..{nodes - 1}, got {outside}")
        moving = (generators != np.arange(nodes)).any(1)
        self.generators = generators[moving]
        for g in self.generators:
            self._cover(g)
        self.levels: list[Level] = []
        self._rebuild(0)
        self._complete()

    def sift(self, p: np.ndarray, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Divide permutations by members of the transversals.

        Parameters
        ----------
        p : ndarray, (M, n) int64
            The permutations.
        start : int
            The level to start from; the permutations must fix the base points before it.

        Returns
        -------
        rest : ndarray, (M, n) int64
            What is left: the identity exactly for members of the group, once the chain is complete.
        stopped : ndarray, (M,) int64
            The level at which each stopped, the number of levels where none did.
        """
        p, stopped = p.copy(), np.full(len(p), len(self.levels))
        for depth in range(start, len(self.levels)):
            level = self.levels[depth]
            row = level.row[p[:, level.point]]
            stopped[(row < 0) & (stopped == len(self.levels))] = depth
            going = stopped > depth
            p[going] = np.take_along_axis(level.inverses[row[going]], p[going], 1)
        return p, stopped

    def _complete(self) -> None:
        depth = len(self.levels) - 1
        while depth >= 0:
            rest, stopped = self.sift(self._schreier(depth), depth + 1)
            left = (rest != np.arange(self.nodes)).any(1).nonzero()[0]
            if not len(left):
                depth -= 1
                continue
            deepest = left[stopped[left].argmax()]
            self.generators = np.concatenate([self.generators, rest[deepest][None]])
            self._cover(rest[deepest])
            self._rebuild(depth + 1)
            depth = min(int(stopped[deepest]), len(self.levels) - 1)

    def _cover(self, g: np.ndarray) -> None:
        """Extend the base by a point that g moves, where g fixes all of it."""
        if (g[self.base] == self.base).all():
            self.base.append(int((g != np.arange(self.nodes)).argmax()))

    def _fixing(self, depth: int) -> np.ndarray:
        return self.generators[(self.generators[:, self.base[:depth]] == self.base[:depth]).all(1)]

    def _rebuild(self, depth: int) -> None:
        self.levels = self.levels[:depth]
        for k in range(depth, len(self.base)):
            self.levels.append(self._level(self.base[k], self._fixing(k)))

    def _level(self, point: int, generators: np.ndarray) -> Level:
        row = np.full(self.nodes, -1)
        row[point] = 0
        elements = [np.arange(self.nodes)]
        for u in elements:  # grows: a breadth-first search of the orbit
            for g in generators:
                image = g[u[point]]
                if row[image] < 0:
                    row[image] = len(elements)
                    elements.append(g[u])
        stacked = np.stack(elements)
        return Level(point, stacked, stacked.argsort(1), row)

    def _schreier(self, depth: int) -> np.ndarray:
        """u_β · g · u_{β·g}⁻¹ for every point β of the orbit and generator g: they generate the next stabilizer."""
        level, products = self.levels[depth], []
        for g in self._fixing(depth):
            moved = g[level.elements]
            back = level.inverses[level.row[moved[:, level.point]]]
            products.append(np.take_along_axis(back, moved, 1))
        if not products:
            return np.empty((0, self.nodes), dtype=np.int64)
        products = np.concatenate(products)
        return products[(products != np.arange(self.nodes)).any(1)]
