"""Orders, orbits, stabilizers and membership of permutation groups, against enumeration and known groups."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.groups.permutation_group import PermutationGroup
from symdiff.random import Streams, uniform
from symdiff.state import Categorical, State
from symdiff.testing import chi_square

CYCLE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]
M11 = [CYCLE, [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]]
M12 = [[*g, 11] for g in M11] + [[11, 10, 5, 7, 8, 2, 9, 3, 4, 6, 1, 0]]


def shift(n: int) -> list[int]:
    return [*range(1, n), 0]


def swap(n: int) -> list[int]:
    return [1, 0, *range(2, n)]


def mirror(n: int) -> list[int]:
    return [*range(n - 1, -1, -1)]


def torus(side: int) -> list[list[int]]:
    sites = list(itertools.product(range(side), repeat=2))
    moves = [lambda a, b: (a + 1, b), lambda a, b: (b, a), lambda a, b: (-a, b)]
    images = [[move(a, b) for a, b in sites] for move in moves]
    return [[(a % side) * side + b % side for a, b in image] for image in images]


KNOWN = {
    "trivial": (3, [], 1),
    "one node": (1, [[0]], 1),
    "C12": (12, [shift(12)], 12),
    "D12": (12, [shift(12), mirror(12)], 24),
    "S8": (8, [shift(8), swap(8)], math.factorial(8)),
    "S30": (30, [shift(30), swap(30)], math.factorial(30)),
    "A9": (9, [[1, 2, 0, 3, 4, 5, 6, 7, 8], [0, 1, 3, 4, 5, 6, 7, 8, 2]], math.factorial(9) // 2),
    "M11": (11, M11, 7920),
    "M12": (12, M12, 95040),
    "flips of pairs": (12, [[*range(2 * k), 2 * k + 1, 2 * k, *range(2 * k + 2, 12)] for k in range(6)], 64),
    "torus 5x5": (25, torus(5), 200),
    "torus 16x16": (256, torus(16), 2048),
}


def generated(nodes: int, generators: list[list[int]]) -> set[tuple[int, ...]]:
    found = {tuple(range(nodes))}
    fresh = list(found)
    while fresh:
        g = fresh.pop()
        for h in generators:
            product = tuple(h[i] for i in g)
            if product not in found:
                found.add(product)
                fresh.append(product)
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_orders(name):
    nodes, generators, order = KNOWN[name]
    group = PermutationGroup(nodes, generators)
    assert group.order == order
    orbit, rest = (group.orbits() == group.orbits()[0]).sum().item(), group.stabilizer([0]).order
    assert orbit * rest == order


def random_generators(seed: int) -> tuple[int, list[list[int]]]:
    draws = uniform((1, 2, 6), Streams(seed, torch.tensor([0])))[0]
    nodes = 4 + seed % 3
    generators = draws[:, :nodes].argsort(1).tolist()
    if seed % 2:  # keep the group from being all of S_n
        generators = [
            [g[0], *[1 + i for i in torch.tensor(g[1:]).argsort().tolist()]] if g[0] == 0 else g for g in generators
        ][:1]
    return nodes, generators


@pytest.mark.parametrize("seed", range(12))
def test_against_enumeration(seed):
    nodes, generators = random_generators(seed)
    group, every = PermutationGroup(nodes, generators), generated(nodes, generators)
    assert group.order == len(every)
    assert {tuple(g) for g in group.elements().tolist()} == every
    assert all((g in group) == (g in every) for g in itertools.permutations(range(nodes)))
    for points in ([0], [1, 0], [2, 2], list(range(nodes))):
        fixing = {g for g in every if all(g[p] == p for p in points)}
        stabilizer = group.stabilizer(points)
        assert {tuple(g) for g in stabilizer.elements().tolist()} == fixing
    orbits, pairs = group.orbits(), group.pair_orbits()
    for i, j in itertools.product(range(nodes), repeat=2):
        assert (orbits[i] == orbits[j]) == any(g[i] == j for g in every)
        for k, m in itertools.product(range(nodes), repeat=2):
            assert (pairs[i, j] == pairs[k, m]) == any(g[i] == k and g[j] == m for g in every)
    assert orbits.unique().tolist() == list(range(int(orbits.max()) + 1))


def test_members_and_strangers():
    group = PermutationGroup(12, M12)
    draws = group.sample(torch.ones(20, 12, dtype=torch.bool), Streams(0, torch.arange(20)))
    assert all(g in group for g in draws)
    assert swap(12) not in group
    assert [0, 0, *range(2, 12)] not in group
    assert [0, 1] not in group


def test_sharply_transitive_draws_are_uniform():
    draws = 20_000  # M11 is sharply 4-transitive: any 4 images occur alike
    g = PermutationGroup(11, M11).sample(torch.ones(draws, 11, dtype=torch.bool), Streams(3, torch.arange(draws)))
    first = torch.bincount(g[:, 7] * 11 + g[:, 2], minlength=121)
    assert chi_square(first, 1 - torch.eye(11).flatten()) > 1e-6


@pytest.mark.parametrize(
    ("nodes", "generators", "closure"),
    [
        (6, [shift(6)], 6),
        (6, [shift(6), mirror(6)], 12),
        (4, [[1, 2, 0, 3], [0, 2, 3, 1]], 24),
        (11, M11, math.factorial(11)),
        (25, torus(5), 200),
    ],
)
def test_pair_colors_have_the_two_closure_as_symmetry(nodes, generators, closure):
    colors = PermutationGroup(nodes, generators).pair_orbits()
    classes = int(colors.max()) + 1
    x = State(torch.ones(1, nodes, dtype=torch.bool), {"color": Categorical("pair", classes)}, {"color": colors[None]})
    assert Nodes().automorphisms(x).item() == closure


def test_pair_orbits_of_large_lattices_are_cheap():
    colors = PermutationGroup(256, torus(16)).pair_orbits()
    assert int(colors.max()) + 1 == 45  # distances (a, b) with 0 <= a <= b <= 8


def test_wrong_input_is_told():
    with pytest.raises(ValueError, match="nodes must be at least 1, got 0"):
        PermutationGroup(0)
    with pytest.raises(ValueError, match=r"permutation of 0..2, got \[0, 1, 1\]"):
        PermutationGroup(3, [[0, 1, 1]])
    with pytest.raises(ValueError, match=r"points need to lie in 0..2, got \[3\]"):
        PermutationGroup(3, [[1, 2, 0]]).stabilizer([3])
    group, mask = PermutationGroup(3, [[1, 2, 0]]), torch.tensor([[True, True, False]])
    with pytest.raises(ValueError, match=r"permutes 3 nodes, got structures of \[2\]"):
        group.sample(mask)
