"""Orders of automorphism groups: known graphs, and every small labeled graph against trying all permutations."""

import itertools
import math
import random

import pytest

from symdiff_evaluation.core.automorphisms import SearchExhausted, automorphisms


def cycle(n):
    return {(i, (i + 1) % n): 1 for i in range(n)}


def complete(n):
    return dict.fromkeys(itertools.combinations(range(n), 2), 1)


PETERSEN = (
    {(i, (i + 1) % 5): 1 for i in range(5)}
    | {(i, i + 5): 1 for i in range(5)}
    | {(5 + i, 5 + (i + 2) % 5): 1 for i in range(5)}
)
CUBE = {(i, i ^ bit): 1 for i in range(8) for bit in (1, 2, 4) if i < i ^ bit}
TWO_TRIANGLES = {(0, 1): 1, (1, 2): 1, (0, 2): 1, (3, 4): 1, (4, 5): 1, (3, 5): 1}


@pytest.mark.parametrize(
    ("size", "edges", "order", "orbits"),
    [
        (1, {}, 1, 1),
        (5, {}, 120, 1),
        (6, cycle(6), 12, 1),
        (6, TWO_TRIANGLES, 72, 1),
        (7, complete(7), 5040, 1),
        (10, PETERSEN, 120, 1),
        (8, CUBE, 48, 1),
        (4, {(0, 1): 1, (1, 2): 1, (2, 3): 1}, 2, 2),
        (4, {(0, 1): 1, (1, 2): 1, (2, 3): 2}, 1, 4),
        (40, {(0, i): 1 for i in range(1, 40)}, math.factorial(39), 2),
    ],
)
def test_known_orders(size, edges, order, orbits):
    assert automorphisms(["C"] * size, edges) == (order, orbits)


def test_all_permutations_agree():
    rng = random.Random(0)
    for _ in range(150):
        size = rng.randint(1, 6)
        labels = [rng.choice("CN") for _ in range(size)]
        edges = {pair: rng.choice((1, 2)) for pair in itertools.combinations(range(size), 2) if rng.random() < 0.5}
        known = [p for p in itertools.permutations(range(size)) if _keeps(p, labels, edges)]
        orbits = {frozenset(p[i] for p in known) for i in range(size)}
        assert automorphisms(labels, edges) == (len(known), len(orbits))


def test_labels_of_nodes_and_edges_count():
    assert automorphisms("CCCCCN", cycle(6)) == (2, 4)
    assert automorphisms("CCCCCC", {**cycle(6), (0, 1): 2}) == (2, 3)


def test_a_search_without_budget_is_undecided():
    with pytest.raises(SearchExhausted):
        automorphisms(["C"] * 30, cycle(30), budget=100)


def _keeps(p, labels, edges):
    def of(i, j):
        return edges.get((min(i, j), max(i, j)))

    pairs = itertools.combinations(range(len(labels)), 2)
    return all(labels[i] == labels[p[i]] for i in range(len(labels))) and all(
        of(i, j) == of(p[i], p[j]) for i, j in pairs
    )
