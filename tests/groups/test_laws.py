"""Laws of every group: action, identity, inverse, padding, the uniform law."""

from __future__ import annotations

import math

import pytest
import torch

from symdiff.groups.lattices import Space
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutation_group import PermutationGroup
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.random import Streams, uniform
from symdiff.state import Categorical, Logits, Real, State, node_mask
from symdiff.testing import action_law_error, chi_square, difference

DIHEDRAL = [[1, 2, 3, 4, 5, 0], [5, 4, 3, 2, 1, 0]]
COLORS = [[1, 2, 0]]

GROUPS = {
    "symmetric of graphs": (Symmetric(), "graph_batch"),
    "symmetric of points": (Symmetric(), "vector_batch"),
    "symmetric of spins": (Symmetric(), "spin_batch"),
    "dihedral": (PermutationGroup(6, DIHEDRAL), "spin_batch"),
    "trivial": (PermutationGroup(6), "spin_batch"),
    "O(3)": (Orthogonal(3), "vector_batch"),
    "SO(3)": (Orthogonal(3, special=True), "vector_batch"),
    "O(3) on graphs": (Orthogonal(3), "graph_batch"),
    "spin flip": (Relabel(["spin", "field"], 2, [[1, 0]]), "spin_batch"),
    "color shift": (Relabel(["color"], 3, COLORS), "spin_batch"),
    "colors of the plane": (Relabel(["color"], 3, [[1, 2, 0], [1, 0, 2]]), "spin_batch"),
    "bonds": (Relabel(["bond", "atom"], 4, [[1, 2, 3, 0], [1, 0, 2, 3]]), "graph_batch"),
    "masked bonds": (Relabel(["bond"], 3, COLORS), "graph_batch"),
    "lattice with flips": (
        DirectProduct([PermutationGroup(6, DIHEDRAL), Relabel(["spin", "field"], 2, [[1, 0]])]),
        "spin_batch",
    ),
    "p4m": (Space("square"), "lattice_batch"),
    "p4 with flips": (
        DirectProduct([Space("square", point="rotations"), Relabel(["spin", "field"], 2, [[1, 0]])]),
        "lattice_batch",
    ),
    "points in space": (DirectProduct([Symmetric(), Orthogonal(3)]), "vector_batch"),
    "nested": (
        DirectProduct([DirectProduct([Symmetric(), Orthogonal(3)]), Relabel(["atom"], 3, COLORS)]),
        "vector_batch",
    ),
}


@pytest.fixture(params=GROUPS)
def case(request):
    group, batch = GROUPS[request.param]
    return group, request.getfixturevalue(batch)


def test_action_laws(case):
    group, x = case
    assert action_law_error(group, x, Streams(0, torch.arange(len(x)))) < 1e-12


def test_a_structure_is_moved_alike_in_any_batch(case):
    group, x = case
    moved = group.act(group.sample(x.mask, Streams(1, torch.arange(len(x)))), x)
    rows = torch.tensor([2, 0])
    part = x.select(rows)
    assert difference(group.act(group.sample(part.mask, Streams(1, rows)), part), moved.select(rows)) < 1e-12


def test_torch_generators_repeat(case):
    group, x = case
    first, second = (group.act(group.sample(x.mask, torch.Generator().manual_seed(3)), x) for _ in range(2))
    assert difference(first, second) == 0


def _all_permutations(n: int) -> PermutationGroup:
    return PermutationGroup(n, [[*range(1, n), 0], [1, 0, *range(2, n)]])


FINITE = {
    "S3, padded": (Symmetric(), _all_permutations(3).elements(), node_mask(torch.tensor([3]), 3)),
    "S4": (Symmetric(), _all_permutations(4).elements(), node_mask(torch.tensor([4]), 4)),
    "D6": (PermutationGroup(6, DIHEDRAL), PermutationGroup(6, DIHEDRAL).elements(), node_mask(torch.tensor([6]))),
    "A4": (
        PermutationGroup(4, [[1, 2, 0, 3], [0, 2, 3, 1]]),
        PermutationGroup(4, [[1, 2, 0, 3], [0, 2, 3, 1]]).elements(),
        node_mask(torch.tensor([4])),
    ),
    "flips": (Relabel(["spin"], 2, [[1, 0]]), torch.tensor([[0, 1], [1, 0]]), node_mask(torch.tensor([2]))),
    "shifts": (
        Relabel(["spin"], 3, COLORS),
        torch.tensor([[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
        node_mask(torch.tensor([2])),
    ),
}


@pytest.mark.parametrize("name", FINITE)
def test_draws_are_uniform_over_all_elements(name):
    group, elements, mask = FINITE[name]
    draws = 400 * len(elements)
    found = group.sample(mask.expand(draws, -1), Streams(7, torch.arange(draws)))
    which = (found[:, None] == elements).all(-1)
    assert which.any(1).all()
    assert chi_square(which.sum(0), torch.ones(len(elements))) > 1e-6


def test_padding_is_fixed_and_the_rest_uniform():
    mask = node_mask(torch.tensor([3]), 5).expand(6000, -1)
    g = Symmetric().sample(mask, Streams(0, torch.arange(6000)))
    assert (g[:, 3:] == torch.tensor([3, 4])).all()
    assert (
        chi_square(torch.bincount(g[:, 0] * 3 + g[:, 1], minlength=9), torch.tensor([0, 1, 1, 1, 0, 1, 1, 1, 0])) > 1e-6
    )


@pytest.mark.parametrize("special", [False, True])
def test_rotations_follow_the_law_of_haar(special):
    draws = 20_000
    mask = torch.ones(draws, 1, dtype=torch.bool)
    q = Orthogonal(3, special).sample(mask, Streams(0, torch.arange(draws)))
    assert (q @ q.mT - torch.eye(3, dtype=torch.float64)).abs().max() < 1e-12
    side = torch.linalg.det(q).round()
    if special:
        assert (side == 1).all()
    else:
        assert chi_square(torch.stack([(side > 0).sum(), (side < 0).sum()]), torch.ones(2)) > 1e-6
    for k in range(3):  # Archimedes: every coordinate of a uniform unit vector is uniform on (-1, 1)
        for entry in (q[:, k, 0], q[:, 0, k]):
            cells = ((entry + 1) * 10).long().clamp(max=19)
            assert chi_square(torch.bincount(cells, minlength=20), torch.ones(20)) > 1e-6
    angle = ((q.diagonal(dim1=1, dim2=2).sum(1) * side - 1) / 2).clamp(-1, 1).acos()
    uniform_angle = (angle - angle.sin()) / math.pi  # the distribution function of a rotation's angle
    assert chi_square(torch.bincount((uniform_angle * 20).long().clamp(max=19), minlength=20), torch.ones(20)) > 1e-6


def test_rotations_of_the_plane_and_of_single_precision():
    x = State(torch.ones(4, 2, dtype=torch.bool), {"v": Real("node", 2, vector=2)}, {"v": torch.randn(4, 2, 2, 2)})
    group = Orthogonal(2, special=True)
    assert action_law_error(group, x, torch.Generator().manual_seed(0)) < 1e-5
    assert group.act(group.sample(x.mask), x)["v"].dtype == torch.float32
    with pytest.raises(ValueError, match="dim must be at least 1"):
        Orthogonal(0)


def test_relabelled_labels_have_the_moved_one_hot_vectors(random_state):
    mask = node_mask(torch.tensor([4, 2]), 4)
    labels = random_state({"c": Categorical("pair", 5, undirected=True)}, mask)
    group = Relabel(["c"], 4, [[1, 2, 3, 0], [1, 0, 2, 3]])
    g = group.sample(mask, Streams(0, torch.arange(2)))
    hot = torch.nn.functional.one_hot(labels["c"], 5).double() * labels.support("c")[..., None]
    logits = State(mask, {"c": Logits("pair", 5, undirected=True)}, {"c": hot})
    want = torch.nn.functional.one_hot(group.act(g, labels)["c"], 5).double() * labels.support("c")[..., None]
    assert torch.equal(group.act(g, logits)["c"], want)


def test_relabelling_fixes_the_mask_label_and_other_fields(random_state):
    mask = node_mask(torch.tensor([3]), 4)
    x = random_state({"spin": Categorical("node", 3), "other": Categorical("node", 2)}, mask)
    x = x.with_values(spin=torch.tensor([[0, 1, 2, 0]]))
    moved = Relabel(["spin"], 2, [[1, 0]]).act(torch.tensor([[1, 0]]), x)
    assert moved["spin"].tolist() == [[1, 0, 2, 0]]
    assert torch.equal(moved["other"], x["other"])
    with pytest.raises(ValueError, match="'other' needs at least 3 labels"):
        Relabel(["other"], 3, COLORS).act(torch.tensor([[1, 2, 0]]), x)
    with pytest.raises(ValueError, match="list of names"):
        Relabel("spin", 2, [[1, 0]])


def test_factors_that_do_not_commute_are_told():
    x = State(
        torch.ones(9, 3, dtype=torch.bool),
        {"a": Real("node", 1)},
        {"a": uniform((9, 3, 1), Streams(0, torch.arange(9)))},
    )
    assert action_law_error(DirectProduct([Symmetric(), Symmetric()]), x, Streams(0, torch.arange(9))) > 0.01
