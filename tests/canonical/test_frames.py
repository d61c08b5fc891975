"""Frames: draws are uniform on the coset of a shape's symmetries, and turn as the shape turns."""

from __future__ import annotations

import math
from itertools import permutations, product

import pytest
import torch
from torch import Tensor

from symdiff.breaking.sympe import SymPE
from symdiff.canonical.base import Canonicalizer
from symdiff.canonical.frames import Frames, shells
from symdiff.config.building import build
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.random import Streams, normal
from symdiff.state import Categorical, Real, State, collate, node_mask
from symdiff.testing import chi_square, difference

SCHEMA = {
    "atom": Categorical("node", 5),
    "position": Real("node", 1, vector=3),
    "bond": Categorical("pair", 4, undirected=True),
}
NAMED = ("graph", "distance")
LAWFUL = 1e-6


def shape(points: list, atoms: list[int], bonds: list = ()) -> State:
    """One structure away from the origin; bonds are (i, j, order)."""
    count = len(points)
    position = torch.tensor(points, dtype=torch.float64) + torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    bond = torch.zeros(count, count, dtype=torch.long)
    for i, j, order in bonds:
        bond[i, j] = bond[j, i] = order
    values = {"atom": torch.tensor([atoms]), "position": position[None, :, None], "bond": bond[None]}
    return State(torch.ones(1, count, dtype=torch.bool), SCHEMA, values)


def ring(radius: float, count: int = 6) -> list:
    return [
        [radius * math.cos(2 * math.pi * k / count), radius * math.sin(2 * math.pi * k / count), 0.0]
        for k in range(count)
    ]


CUBE = [[a, b, c] for a, b, c in product((0.63, -0.63), repeat=3)]
AROUND = [(k, (k + 1) % 6) for k in range(6)]
SPOKES = [(k, k + 6, 1) for k in range(6)]
BENZENE = (ring(1.39) + ring(2.48), [1] * 6 + [0] * 6)
SHAPES = {
    "methane": (
        shape([[0, 0, 0], *(p for p in CUBE if math.prod(p) > 0)], [1, 0, 0, 0, 0], [(0, k, 1) for k in range(1, 5)]),
        24,
        12,
    ),
    "fluoromethane": (
        shape([[0, 0, 0.1], *(p for p in CUBE if math.prod(p) > 0)], [1, 4, 0, 0, 0], [(0, k, 1) for k in range(1, 5)]),
        2,
        1,
    ),
    "benzene": (shape(*BENZENE, [(i, j, 1) for i, j in AROUND] + SPOKES), 24, 12),
    "benzene, Kekule": (shape(*BENZENE, [(i, j, 1 + i % 2) for i, j in AROUND] + SPOKES), 12, 6),
    "ammonia": (shape([[0, 0, 0.3], *ring(0.94, 3)], [2, 0, 0, 0], [(0, k, 1) for k in (1, 2, 3)]), 6, 3),
    "water": (shape([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]], [3, 0, 0], [(0, 1, 1), (0, 2, 1)]), 4, 2),
    "cube": (shape(CUBE, [1] * 8), 48, 24),
    "twisted": (
        shape([[1.2, 0.1, 0.3], [-1, 0.2, -0.9], [0, 1.3, 0.1], [-0.3, -0.7, 1.4], [0.2, 0.4, -1.0]], [1, 1, 1, 2, 0]),
        1,
        1,
    ),
}


def reference(x: State, special: bool) -> list[tuple[Tensor, Tensor]]:
    """All (permutation, matrix) that leave x as it is, among those of cube, hexagon and triangle."""
    found = []
    flips = [torch.diag(torch.tensor(s, dtype=torch.float64)) for s in product((1.0, -1.0), repeat=3)]
    matrices = [flip[list(p)] for p in permutations(range(3)) for flip in flips]
    for k in range(1, 12):
        c, s = math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)
        turned = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float64)
        if k % 3:  # quarter turns are there already
            matrices += [turned @ flip for flip in flips[::2] + flips[1::2]]
    points = x["position"][0, :, 0] - x["position"][0, :, 0].mean(0)
    seen: list[Tensor] = []
    for matrix in matrices:
        if (special and torch.linalg.det(matrix) < 0) or any((matrix - other).abs().max() < 1e-9 for other in seen):
            continue
        distance = torch.cdist(points, points @ matrix.T)
        g = (distance.argmin(1)[None], matrix[None])
        centered = x.with_values(position=points[None, :, None])
        if (
            distance.amin(1).max() < 1e-9
            and difference(DirectProduct([Symmetric(), Orthogonal(3)]).act(g, centered), centered) < 1e-9
        ):
            seen.append(matrix)
            found.append((g[0][0], matrix))
    return found


def centered(x: State) -> State:
    return x.with_values(position=x["position"] - x["position"].mean(1, keepdim=True))


@pytest.mark.slow
@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("nodes", ["unnamed", *NAMED])
@pytest.mark.parametrize("name", SHAPES)
def test_draws_are_uniform_on_the_coset_and_turn_with_the_shape(name, nodes, special):
    x, order, proper = SHAPES[name]
    frames = Frames(nodes, special)
    stabilizer = reference(x, special)
    assert len(stabilizer) == (proper if special else order) == frames.automorphisms(x).item()
    draws = 12 * len(stabilizer)
    generator = torch.Generator().manual_seed(5)
    first = frames.sample(x, generator)
    whole = DirectProduct([Symmetric(), Orthogonal(3, special)])
    h = whole.sample(x.mask, generator)
    for moved in (False, True):
        y = whole.act(h, centered(x)) if moved else x
        g = frames.sample(y.select([0] * draws), generator)
        if nodes == "unnamed":
            g = (h[0].expand(draws, -1) if moved else whole.identity(y.mask)[0].expand(draws, -1), g)
            start = (whole.identity(x.mask)[0], first)
        else:
            start = first
        if moved:
            g = whole.compose(whole.inverse(tuple(part.repeat(draws, *[1] * (part.ndim - 1)) for part in h)), g)
        back = tuple(part.repeat(draws, *[1] * (part.ndim - 1)) for part in whole.inverse(start))
        permutation, matrix = whole.compose(g, back)
        error = torch.stack([(matrix - each).abs().amax((1, 2)) for _, each in stabilizer], 1)
        assert error.amin(1).max() < 1e-6, "outside of the coset"
        place = error.argmin(1)
        if nodes != "unnamed":
            assert torch.equal(permutation, torch.stack([p for p, _ in stabilizer])[place])
        counts = torch.bincount(place, minlength=len(stabilizer))
        assert chi_square(counts, torch.ones(len(stabilizer))) > LAWFUL


@pytest.mark.slow
@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("nodes", ["unnamed", "stored", *NAMED])
def test_linear_molecules_turn_freely_about_their_axis(nodes, special):
    frames, draws = Frames(nodes, special), 2000
    axis = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3
    for both, atoms, ends in ((True, [1, 3, 3], (1.2, -1.2)), (False, [1, 2, 0], (1.16, -1.06))):
        x = shape([[0, 0, 0], *((axis * e).tolist() for e in ends)], atoms, [(0, 1, 2), (0, 2, 1 + both)])
        g = frames.sample(x.select([0] * draws), torch.Generator().manual_seed(1))
        matrix = g if nodes == "unnamed" else g[1]
        assert frames.automorphisms(x).item() == math.inf
        along = matrix[:, :, 0] @ axis
        assert (along.abs() - 1).abs().max() < 1e-9
        swaps = both and nodes != "stored"
        ahead = torch.bincount((along > 0).long(), minlength=2)
        assert chi_square(ahead, torch.ones(2)) > LAWFUL if swaps else ahead.max() == draws
        u, v = torch.linalg.qr(torch.cat([axis[:, None], torch.eye(3, dtype=torch.float64)[:, :2]], 1))[0][:, 1:].T
        angle = torch.atan2(matrix[:, :, 1] @ v, matrix[:, :, 1] @ u) / (2 * math.pi) % 1
        assert chi_square(torch.bincount((angle * 12).long(), minlength=12), torch.ones(12)) > LAWFUL
        hands = torch.bincount((torch.linalg.det(matrix) > 0).long(), minlength=2)
        assert hands[0] == 0 if special else chi_square(hands, torch.ones(2)) > LAWFUL


def test_one_atom_has_any_frame():
    x = shape([[0, 0, 0]], [1])
    matrix = Frames().sample(x.select([0] * 1600), torch.Generator().manual_seed(2))
    octant = ((matrix[:, 0] > 0) * torch.tensor([1, 2, 4])).sum(1)
    assert chi_square(torch.bincount(octant, minlength=8), torch.ones(8)) > LAWFUL
    assert Frames().automorphisms(x).item() == math.inf


def clouds(dtype=torch.float64, seed: int = 0, sizes=(1, 2, 3, 4, 6, 9, 9, 7)) -> State:
    """Random labelled points with bonds, and two clouds whose principal axes are nearly as long."""
    mask, streams = node_mask(torch.tensor(sizes)), Streams(seed, torch.arange(len(sizes)))
    atom = (normal((*mask.shape,), streams) > 0).long() * mask
    bond = ((normal((*mask.shape, mask.shape[1]), streams) > 0.8) & mask[:, :, None] & mask[:, None]).long().triu(1)
    position = 2 * normal((*mask.shape, 3), streams, torch.zeros((), dtype=torch.float64)) * mask[..., None]
    position = position - position.sum(1, keepdim=True) / mask.sum(1)[:, None, None] * mask[..., None]
    values, vectors = torch.linalg.eigh(position[-2:].mT @ position[-2:])
    spread = torch.tensor([[1.0, 1.001, 1.002], [1.0, 0.6, 0.601]], dtype=torch.float64)
    position[-2:] = position[-2:] @ (vectors * (spread / values.sqrt())[:, None]) * 4
    return State(mask, SCHEMA, {"atom": atom, "position": position[:, :, None].to(dtype), "bond": bond + bond.mT})


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("nodes", NAMED)
def test_an_orbit_has_one_representative(nodes, special):
    frames, x = Frames(nodes, special), clouds()
    canonical = frames.canonical(x)
    for k in range(10):
        h = frames.group.sample(x.mask, torch.Generator().manual_seed(k))
        assert difference(frames.canonical(frames.group.act(h, x)), canonical) < 1e-8
    mirror = frames.canonical(x.with_values(position=-x["position"]))
    apart = (mirror["position"] - canonical["position"]).abs().flatten(1).amax(1)
    assert apart[0] == 0 and (apart[3:] > 0.01).all() if special else apart.max() < 1e-8
    other = x.with_values(position=x["position"] * 1.05)
    assert difference(frames.canonical(other), canonical) > 0.01


def test_stored_nodes_keep_their_order_and_the_frame_turns_with_them():
    frames, x = Frames("stored"), clouds()
    same, matrix = frames.sample(x, Streams(0, torch.arange(len(x))))
    assert torch.equal(same, Symmetric().identity(x.mask))
    h = Orthogonal(3).sample(x.mask, Streams(1, torch.arange(len(x))))
    canonical = frames.canonical(x)
    turned = frames._space.act(h, x)
    assert difference(frames.canonical(turned), canonical) < 1e-8
    assert difference(frames._space.act(matrix.mT, x), canonical) < 1e-8


def test_without_names_the_order_of_nodes_does_not_matter():
    frames, x = Frames(), clouds()
    p = Symmetric().sample(x.mask, torch.Generator().manual_seed(0))
    assert (frames.element(Symmetric().act(p, x))[3:] - frames.element(x)[3:]).abs().max() < 1e-9


def test_single_precision_and_other_rows_change_little():
    frames, x = Frames("graph"), clouds()
    order, matrix = frames.element(x)
    rough, coarse = frames.element(x.to(torch.float32))
    assert (
        torch.equal(order[3:], rough[3:]) and (matrix - coarse)[3:].abs().max() < 1e-4 and coarse.dtype == torch.float64
    )
    for row in range(len(x)):
        alone = frames.element(x.select([row]))
        assert torch.equal(alone[0], order[row : row + 1]) and (alone[1] - matrix[row]).abs().max() < 1e-9


def test_positions_alone_are_enough():
    x = clouds().only("position")
    for nodes in NAMED:
        frames = Frames(nodes)
        h = frames.group.sample(x.mask, torch.Generator().manual_seed(3))
        assert difference(frames.canonical(frames.group.act(h, x)), frames.canonical(x)) < 1e-8


def test_points_in_one_place_are_no_error():
    x = shape([[0.0, 0, 0]] * 3, [1, 1, 2])
    for nodes in ("unnamed", "stored", *NAMED):
        assert torch.isfinite(Frames(nodes).sample(x.select([0] * 3))[-1]).all()


def test_shells_rank_distances():
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1.001, 0], [9, 9, 9]]])
    mask = torch.tensor([[True, True, True, False]])
    assert shells(points, mask, 0.01)[0, :3, :3].tolist() == [[1, 2, 2], [2, 1, 3], [2, 3, 1]]


def test_a_recipe_can_name_it_and_sympe_hands_its_frame_on():
    spec = {"kind": "Frames", "nodes": "graph", "special": True}
    built = build(Canonicalizer, spec)
    assert isinstance(built, Frames) and built.special
    breaker = SymPE(spec, {"kind": "NodeCode", "nodes": 9, "dim": 4})
    z = breaker.sample(collate([clouds(torch.float32)]), Streams(0, torch.arange(8)))
    assert z["rank"].shape == (8, 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"nodes": "rank"}, "nodes must be one of"), ({"tolerance": 0.0}, "tolerance must be more than 0")],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(ValueError, match=message):
        Frames(**settings)


def test_structures_without_positions_are_refused(graph_batch):
    with pytest.raises(ValueError, match="field 'position' needs one vector of 3 components"):
        Frames().element(graph_batch)
