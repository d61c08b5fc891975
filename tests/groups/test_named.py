"""Groups by name, their orbits of tuples and their closures.

Against known orders, enumeration and all n! permutations.
"""

from __future__ import annotations

from itertools import permutations, product

import pytest
import torch

from symdiff.errors import UserError
from symdiff.groups.closure import closure_order, smallest_arity, tuple_orbits
from symdiff.groups.named import parse_group
from symdiff.groups.permutation_group import PermutationGroup

KNOWN = {  # order, orbits of ordered pairs, order of the 2-closure
    "identity 5": (1, 25, 1),
    "symmetric 10": (3628800, 2, 3628800),
    "alternating 7": (2520, 2, 5040),
    "cyclic 10": (10, 10, 10),
    "dihedral 10": (20, 6, 20),
    "reversal 10": (2, 50, 2),
    "wreath (symmetric 5, symmetric 2)": (28800, 3, 28800),
    "product (symmetric 5, symmetric 5)": (14400, 6, 14400),
    "grid 3 3": (8, 15, 8),
    "grid 2 3": (4, 10, 4),
    "translations 4 4": (16, 16, 16),
    "torus 4 4": (128, 6, 128),
    "torus 5 5": (200, 6, 200),
    "hypercube 4": (384, 5, 384),
    "blocks 4 4 2": (331776, 20, 331776),
    "affine 5": (20, 2, 120),
    "fano": (168, 2, 5040),
}
TRANSITIVE = [
    *(f"{name} {n}" for name in ("cyclic", "dihedral", "symmetric", "alternating") for n in range(3, 7)),
    "affine 5", "translations 2 2", "translations 2 3", "wreath (symmetric 2, symmetric 3)",
    "wreath (cyclic 3, cyclic 2)",
    "wreath (cyclic 2, cyclic 3)", "wreath (symmetric 3, symmetric 2)", "hypercube 2",
]  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_orders_orbits_and_two_closures_are_the_known_ones(name: str):
    order, orbits, closure = KNOWN[name]
    group = parse_group(name)
    pairs = group.pair_orbits()
    assert (group.order, int(pairs.max()) + 1, closure_order(pairs, group)) == (order, orbits, closure)


@pytest.mark.parametrize(
    "name", [*TRANSITIVE, "identity 4", "reversal 5", "grid 2 3", "product (cyclic 3, cyclic 2)", "affine 7"]
)
def test_closures_agree_with_all_permutations(name: str):
    group = parse_group(name)
    every = torch.tensor(list(permutations(range(group.nodes))))
    for k in (1, 2, 3):
        colors = tuple_orbits(group, k)
        keeps = torch.ones(len(every), dtype=torch.bool)
        for place in product(range(group.nodes), repeat=k):
            keeps &= colors[tuple(every[:, i] for i in place)] == colors[place]
        assert closure_order(colors, group) == int(keeps.sum()), k


@pytest.mark.parametrize("name", ["cyclic 5", "affine 5", "fano", "reversal 4", "wreath (cyclic 2, cyclic 3)"])
def test_colors_of_tuples_are_the_orbits_by_enumeration(name: str):
    group = parse_group(name)
    elements = group.elements()
    for k in (1, 2, 3):
        colors = tuple_orbits(group, k)
        for place in product(range(group.nodes), repeat=k):
            orbit = {tuple(g) for g in elements[:, list(place)].tolist()}
            alike = {tuple(t) for t in (colors == colors[place]).nonzero().tolist()}
            assert orbit == alike


def test_smallest_arities():
    expected = {"cyclic 7": 2, "affine 5": 3, "fano": 3, "symmetric 5": 1, "identity 5": 1}
    assert {name: smallest_arity(parse_group(name)) for name in expected} == expected
    for n in (4, 5, 6):  # alternating: not kept by tuples of n - 2 nodes, kept by n - 1
        group = parse_group(f"alternating {n}")
        orders = [closure_order(tuple_orbits(group, k), group) for k in (n - 2, n - 1)]
        assert orders == [2 * group.order, group.order]
        assert smallest_arity(group) == n - 1


def test_a_search_out_of_budget_is_undecided():
    group = parse_group("cyclic 10")
    assert closure_order(group.pair_orbits(), group, budget=3) is None


def test_too_many_tuples_are_told():
    with pytest.raises(ValueError, match="sign feature"):
        tuple_orbits(parse_group("alternating 12"), 11)


def test_thousands_of_nodes_need_the_generators_alone():
    group = parse_group("dihedral 600")
    pairs = group.pair_orbits()
    assert int(pairs.max()) + 1 == 301 and "_chain" not in vars(group)
    distance = (torch.arange(600)[:, None] - torch.arange(600)).abs()
    assert torch.equal(pairs, torch.minimum(distance, 600 - distance))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cyclc 3", "did you mean 'cyclic'"), ("cyclic", "needs 1 numbers"), ("cyclic 0", "at least 1"),
        ("cyclic 3 4", "needs 1 numbers"),
        ("cyclic ²", "expected names"), ("", "name of a group"), ("wreath (cyclic 3)", "two groups"),
        ("wreath (cyclic 3, cyclic 2", "not closed"),
        ("product cyclic 3", r"product \(G, H\)"), ("cyclic 3 )", "expected the end"), ("blocks 4 4 3", "do not tile"),
        ("affine 6", "prime"),
        ("hypercube 40", "at most"), ("blocks 128 128 2", "more than"), ("cyclic 999999999", "at most"),
        ("wreath (cyclic 60000, cyclic 60000)", "at most"),
    ],
)  # fmt: skip
def test_what_is_no_group_is_told_in_a_line(text: str, message: str):
    with pytest.raises(UserError, match=message):
        parse_group(text)


def test_generators_of_a_name_generate_what_they_say():
    rebuilt = PermutationGroup(10, parse_group("wreath (symmetric 5, symmetric 2)").generators)
    for element in ([5, 6, 7, 8, 9, 0, 1, 2, 3, 4], [1, 0, 2, 3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 4, 6, 5, 7, 8, 9]):
        assert element in rebuilt
    assert [5, 1, 2, 3, 4, 0, 6, 7, 8, 9] not in rebuilt
