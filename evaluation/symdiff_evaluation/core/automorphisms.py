"""The automorphism group of a small labeled graph.

Its order and its orbits, exactly, within a budget of search steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

BUDGET = 1_000_000  # nodes colored in the search through one graph: about a second
_DEPTH = 400  # nodes fixed at once


class SearchExhausted(RuntimeError):
    """The search ran out of its budget: the order is not known."""


def automorphisms(
    labels: Sequence[Hashable], edges: Mapping[tuple[int, int], Hashable], budget: int = BUDGET
) -> tuple[int, int]:
    """Find the order of the automorphism group of a graph and the number of orbits of its nodes.

    Fixing nodes b_1, b_2, ... one after another until no symmetry is left, the order is the product of the lengths of
    the orbits of b_k under the automorphisms that fix b_1 .. b_(k-1) (orbit-stabilizer). Whether b_k may go to c is
    decided by a search for an automorphism that does so, pruned by color refinement. The last b comes first, so that
    the orbits under the automorphisms already found (which fix the earlier ones) spare searches; in the end they are
    the orbits of the whole group.

    Parameters
    ----------
    labels : sequence of hashable, (n,)
        The label of each node.
    edges : mapping of (int, int) to hashable
        The label of each undirected edge (i, j), i != j.
    budget : int
        Number of nodes that the search may color; a million take about a second.

    Returns
    -------
    tuple of int
        The order, and the number of orbits.

    Raises
    ------
    SearchExhausted
        Where the budget does not suffice.
    """
    return _AutomorphismSearch(labels, edges, budget).run()


class _AutomorphismSearch:
    def __init__(self, labels: Sequence[Hashable], edges: Mapping[tuple[int, int], Hashable], budget: int) -> None:
        self.size = len(labels)
        self.near: list[list[tuple[int, int]]] = [[] for _ in labels]
        kinds = {kind: number for number, kind in enumerate(sorted(set(edges.values()), key=repr))}
        for (i, j), kind in edges.items():
            self.near[i].append((kinds[kind], j))
            self.near[j].append((kinds[kind], i))
        names = {label: number for number, label in enumerate(sorted(set(labels), key=repr))}
        numbers = sorted(names[label] for label in labels)
        self.start = [bisect_left(numbers, names[label]) for label in labels]
        self.left = budget
        self.orbit = list(range(self.size))

    def run(self) -> tuple[int, int]:
        levels, colors = [], self.refine(self.start, range(self.size))
        while (cell := self.first_cell(colors)) is not None:
            fixed = self.fix(colors, cell, cell[0])
            levels.append((colors, cell, fixed))
            colors = fixed
        order = 1
        for colors, cell, fixed in reversed(levels):
            refused: set[int] = set()
            for other in cell[1:]:
                if self.root(other) in {self.root(cell[0])} | {self.root(node) for node in refused}:
                    continue
                image = self.map(fixed, self.fix(colors, cell, other), 0)
                if image is None:
                    refused.add(other)
                    continue
                for i, j in enumerate(image):
                    self.orbit[self.root(i)] = self.root(j)
            order *= sum(self.root(node) == self.root(cell[0]) for node in cell)
        return order, len({self.root(i) for i in range(self.size)})

    def refine(self, colors: list[int], changed: Iterable[int]) -> list[int]:
        """The coarsest coloring at least as fine in which equal colors see equally many neighbors of each color.

        A color is the number of nodes of smaller color, and a color that splits is numbered by what its parts see, so
        isomorphic colorings get corresponding numbers. ``changed``: the nodes whose color is new since the last
        refinement; nodes that see none of them stay as equal as they were.
        """
        colors, cells = list(colors), defaultdict(set)
        for node, color in enumerate(colors):
            cells[color].add(node)
        self.spend(self.size)
        while changed:
            seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for node in changed:
                for kind, near in self.near[node]:
                    seen[near].append((kind, colors[node]))
            self.spend(len(seen))
            touched: dict[int, dict[tuple, list[int]]] = defaultdict(lambda: defaultdict(list))
            for node, sights in seen.items():
                touched[colors[node]][tuple(sorted(sights))].append(node)
            changed = []
            for color, parts in touched.items():
                place = color + len(cells[color]) - sum(map(len, parts.values()))
                for sights in sorted(parts):
                    part = parts[sights]
                    if place != color:
                        cells[color].difference_update(part)
                        cells[place] = set(part)
                        changed.extend(part)
                        for node in part:
                            colors[node] = place
                    place += len(part)
        return colors

    def fix(self, colors: list[int], cell: list[int], node: int) -> list[int]:
        """The refinement in which ``node`` has a color of its own, right behind that of its former equals in
        ``cell``."""
        colors = list(colors)
        colors[node] += len(cell) - 1
        return self.refine(colors, [node])

    def map(self, one: list[int], two: list[int], depth: int) -> list[int] | None:
        """An automorphism that carries the coloring ``one`` to ``two`` as a list of images, or None."""
        if depth > _DEPTH:
            raise SearchExhausted("the search for automorphisms went too deep")
        if sorted(one) != sorted(two):
            return None
        image = self.guess(one, two)
        if self.preserves(image):
            return image
        cell = self.first_cell(one)
        if cell is None:
            return None
        first = self.fix(one, cell, cell[0])
        others = [i for i in range(self.size) if two[i] == one[cell[0]]]
        for other in others:
            image = self.map(first, self.fix(two, others, other), depth + 1)
            if image is not None:
                return image
        return None

    def guess(self, one: list[int], two: list[int]) -> list[int]:
        """A map that carries ``one`` to ``two`` and leaves nodes where they are as far as it can.

        Most symmetries are local.
        """
        self.spend(self.size)
        free: dict[int, list[int]] = defaultdict(list)
        for node in range(self.size):
            if one[node] != two[node]:
                free[two[node]].append(node)
        return [node if one[node] == two[node] else free[one[node]].pop() for node in range(self.size)]

    def preserves(self, image: list[int]) -> bool:
        return all(
            self.start[i] == self.start[j]
            and sorted((kind, image[n]) for kind, n in self.near[i]) == sorted(self.near[j])
            for i, j in enumerate(image)
        )

    def first_cell(self, colors: list[int]) -> list[int] | None:
        """The nodes of the smallest color that several nodes share."""
        cells: dict[int, list[int]] = {}
        for i, color in enumerate(colors):
            cells.setdefault(color, []).append(i)
        shared = [color for color, cell in cells.items() if len(cell) > 1]
        return cells[min(shared)] if shared else None

    def spend(self, nodes: int) -> None:
        self.left -= nodes
        if self.left < 0:
            raise SearchExhausted("the search for automorphisms ran out of its budget")

    def root(self, i: int) -> int:
        while self.orbit[i] != i:
            self.orbit[i] = self.orbit[self.orbit[i]]
            i = self.orbit[i]
        return i
