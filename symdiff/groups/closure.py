"""Closures: which permutations keep the orbits of k-tuples, and how many they are."""

from __future__ import annotations

from math import factorial

import numpy as np
from torch import Tensor

from symdiff.groups.permutation_group import PermutationGroup, merge_along

MOST_TUPLES = 1 << 24
BUDGET = 200_000


class BudgetSpent(Exception):
    """A search that ran out of its budget."""


def tuple_orbits(group: PermutationGroup, k: int) -> Tensor:
    """Number the orbits of ordered k-tuples of nodes.

    Parameters
    ----------
    group : PermutationGroup
        The group, of degree n.
    k : int
        The length of the tuples, at least 1.

    Returns
    -------
    Tensor, (n, ..., n) int64
        The orbit of every tuple, k axes, numbered by first appearance.

    Raises
    ------
    ValueError
        For more than 2^24 tuples.
    """
    n = group.nodes
    if n**k > MOST_TUPLES:
        raise ValueError(
            f"{n}^{k} tuples of nodes are more than {MOST_TUPLES}; a sign feature may break an alternating group "
            "instead"
        )
    weights = n ** np.arange(k - 1, -1, -1)
    moves = []
    for g in group.generators:
        image = np.array(g)
        moves.append(
            sum(w * image.reshape([-1 if axis == place else 1 for axis in range(k)]) for place, w in enumerate(weights))
        )
    flat = [np.asarray(move).reshape(-1) for move in moves]
    return merge_along(n**k, flat).view(*[n] * k)


def closure(colors: Tensor, group: PermutationGroup, budget: int = BUDGET) -> PermutationGroup | None:
    """Find the permutations that keep the colors of all k-tuples, as a group.

    For the colors of ``tuple_orbits`` these permutations are the k-closure of the group (Wielandt, 1969). A stabilizer
    chain: the orbit of each base point, times the rest. Whether a point is reached by the permutations that fix the
    base is searched for depth first, checking every tuple of the nodes placed so far; what ``group`` itself reaches
    needs no search.

    Parameters
    ----------
    colors : Tensor
        (n, ..., n) int64, k axes.
    group : PermutationGroup
        A group that is known to keep the colors.
    budget : int
        How many placements of a node may be tried in all.

    Returns
    -------
    PermutationGroup or None
        The group of all such permutations; None where the budget is spent first.
    """
    search = _Extension(colors.numpy(), budget)
    n = len(colors)
    known = [np.array(g) for g in group.generators]
    try:
        for base in range(n):
            fixing = [g for g in known if (g[:base] == np.arange(base)).all()]
            reached = {base}
            for point in range(base, n):
                if point in reached:
                    continue
                image = search.extend(list(range(base)) + [point])
                if image is not None:
                    known.append(image)
                    fixing.append(image)
                    reached = _orbit(base, fixing)
    except BudgetSpent:
        return None
    return PermutationGroup(n, [g.tolist() for g in known])


def closure_order(colors: Tensor, group: PermutationGroup, budget: int = BUDGET) -> int | None:
    """Compute the order of ``closure``.

    Parameters
    ----------
    colors : Tensor, (n, ..., n) int64
        The color of every k-tuple, k axes.
    group : PermutationGroup
        A group that is known to keep the colors.
    budget : int
        How many placements of a node may be tried in all.

    Returns
    -------
    int or None
        The order; None where the budget is spent first.
    """
    whole = closure(colors, group, budget)
    return None if whole is None else whole.order


def smallest_arity(group: PermutationGroup, budget: int = BUDGET) -> int | None:
    """Find the smallest k such that the group is its own k-closure.

    Parameters
    ----------
    group : PermutationGroup
        The group, of degree n.
    budget : int
        How many placements of a node may be tried for every k.

    Returns
    -------
    int or None
        k, from 1 to n; None where the budget is spent first.

    Raises
    ------
    ValueError
        Where k-tuples of the next k are too many, as for alternating groups beyond degree 8, which need k = n - 1.
    """
    if group.nodes > 2 and 2 * group.order == factorial(group.nodes):
        return (
            group.nodes - 1
        )  # alternating: (n - 2)-transitive, so fewer than n - 1 nodes look as under all permutations
    for k in range(1, group.nodes + 1):
        order = closure_order(tuple_orbits(group, k), group, budget)
        if order is None:
            return None
        if order == group.order:
            return k
    raise AssertionError("a group of degree n is n-closed")


def _orbit(point: int, generators: list[np.ndarray]) -> set[int]:
    reached, fresh = {point}, [point]
    for place in fresh:
        for g in generators:
            if int(g[place]) not in reached:
                reached.add(int(g[place]))
                fresh.append(int(g[place]))
    return reached


class _Extension:
    """Depth-first search for a permutation p with colors[p[t]] == colors[t] for all tuples t."""

    def __init__(self, colors: np.ndarray, budget: int) -> None:
        self.colors, self.left = colors, budget
        self.nodes, self.arity = len(colors), colors.ndim

    def extend(self, start: list[int]) -> np.ndarray | None:
        """A whole permutation that sends 0, 1, ... to ``start``, or None."""
        images: list[int] = []
        for image in start:
            if not self._fits(images, image):
                return None
            images.append(image)
        return self._deeper(images)

    def _deeper(self, images: list[int]) -> np.ndarray | None:
        if len(images) == self.nodes:
            return np.array(images)
        for image in range(self.nodes):
            if image in images:
                continue
            self.left -= 1
            if self.left < 0:
                raise BudgetSpent
            if self._fits(images, image):
                whole = self._deeper([*images, image])
                if whole is not None:
                    return whole
        return None

    def _fits(self, images: list[int], image: int) -> bool:
        """Whether node ``len(images)`` may go to ``image``.

        All tuples with it, of the nodes placed so far, keep their colors.
        """
        node = len(images)
        before, after = np.arange(node + 1), np.array([*images, image])
        for axis in range(self.arity):
            one = np.take(self.colors, node, axis=axis)
            other = np.take(self.colors, image, axis=axis)
            rest = self.arity - 1
            if not np.array_equal(
                one[np.ix_(*[before] * rest)] if rest else one, other[np.ix_(*[after] * rest)] if rest else other
            ):
                return False
        return True
