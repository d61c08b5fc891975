"""The automorphism group of a small labeled graph: its order and its orbits, exactly, within a budget of search steps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

BUDGET = 1_000_000  # nodes colored in the search through one graph: about two seconds
_DEPTH = 400  # nodes fixed at once


class Undecided(RuntimeError):
    """The search ran out of its budget: the order is not known."""


def automorphisms(
    labels: Sequence[Hashable], edges: Mapping[tuple[int, int], Hashable], budget: int = BUDGET
) -> tuple[int, int]:
    """Order of the automorphism group and number of orbits of nodes.

    ``labels``: one a node; ``edges``: label of each undirected edge (i, j), i != j. Fixing nodes b_1, b_2, ... one after
    another until no symmetry is left, the order is the product of the lengths of the orbits of b_k under the
    automorphisms that fix b_1 .. b_(k-1) (orbit-stabilizer). Whether b_k may go to c is decided by a search for an
    automorphism that does so, pruned by color refinement. The last b comes first, so that the orbits under what was
    found already (which fixes the earlier ones) spare searches; in the end they are the orbits of the whole group.
    Raises ``Undecided`` after coloring ``budget`` nodes.
    """
    return _Search(labels, edges, budget).run()


class _Search:
    def __init__(self, labels: Sequence[Hashable], edges: Mapping[tuple[int, int], Hashable], budget: int) -> None:
        self.size = len(labels)
        self.near: list[list[tuple[Hashable, int]]] = [[] for _ in labels]
        kinds = {kind: number for number, kind in enumerate(sorted(set(edges.values()), key=repr))}
        for (i, j), kind in edges.items():
            self.near[i].append((kinds[kind], j))
            self.near[j].append((kinds[kind], i))
        names = {label: number for number, label in enumerate(sorted(set(labels), key=repr))}
        self.start = [names[label] for label in labels]
        self.left = budget
        self.orbit = list(range(self.size))

    def run(self) -> tuple[int, int]:
        levels, colors = [], self.refine(self.start)
        while (cell := self.first_cell(colors)) is not None:
            fixed = self.refine(self.single_out(colors, cell[0]))
            levels.append((colors, cell, fixed))
            colors = fixed
        order = 1
        for colors, cell, fixed in reversed(levels):
            refused: set[int] = set()
            for other in cell[1:]:
                if self.root(other) in {self.root(cell[0])} | {self.root(node) for node in refused}:
                    continue
                image = self.map(fixed, self.refine(self.single_out(colors, other)), 0)
                if image is None:
                    refused.add(other)
                    continue
                for i, j in enumerate(image):
                    self.orbit[self.root(i)] = self.root(j)
            order *= sum(self.root(node) == self.root(cell[0]) for node in cell)
        return order, len({self.root(i) for i in range(self.size)})

    def refine(self, colors: list[int]) -> list[int]:
        """The coarsest coloring at least as fine in which equal colors see equally many neighbors of each color.

        Colors are numbered by sorted signature, so that isomorphic colorings get corresponding numbers.
        """
        count = len(set(colors))
        while True:
            self.left -= self.size
            if self.left < 0:
                raise Undecided("the search for automorphisms ran out of its budget")
            signs = [(colors[i], sorted([(kind, colors[j]) for kind, j in near])) for i, near in enumerate(self.near)]
            keys = [(color, tuple(seen)) for color, seen in signs]
            number = {key: n for n, key in enumerate(sorted(set(keys)))}
            colors = [number[key] for key in keys]
            if len(number) == count:
                return colors
            count = len(number)

    def map(self, one: list[int], two: list[int], depth: int) -> list[int] | None:
        """An automorphism that carries the coloring ``one`` to ``two`` as a list of images, or None."""
        if depth > _DEPTH:
            raise Undecided("the search for automorphisms went too deep")
        if sorted(one) != sorted(two):
            return None
        cell = self.first_cell(one)
        if cell is None:
            where = {color: i for i, color in enumerate(two)}
            image = [where[color] for color in one]
            return image if self.preserves(image) else None
        color = one[cell[0]]
        first = self.refine(self.single_out(one, cell[0]))
        # the node itself first: most automorphisms leave most nodes where they are
        for other in sorted((i for i in range(self.size) if two[i] == color), key=lambda i: i != cell[0]):
            image = self.map(first, self.refine(self.single_out(two, other)), depth + 1)
            if image is not None:
                return image
        return None

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

    @staticmethod
    def single_out(colors: list[int], node: int) -> list[int]:
        """``node`` gets a color of its own, right before that of its former equals."""
        return [2 * color + (i != node) for i, color in enumerate(colors)]

    def root(self, i: int) -> int:
        while self.orbit[i] != i:
            self.orbit[i] = self.orbit[self.orbit[i]]
            i = self.orbit[i]
        return i
