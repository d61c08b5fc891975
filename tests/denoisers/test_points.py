"""Convolutions over points: what their kernels and inputs leave of the symmetry."""

from __future__ import annotations

import math

import pytest
import torch

from symdiff.denoisers.points import PointConvolution
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.nn.points import Edges, dual, monomials, orientations
from symdiff.nn.pyramid import farthest
from symdiff.random import Streams, normal, uniform
from symdiff.state import Categorical, Real, State, node_mask, pad
from symdiff.testing import difference, equivariance_error

POSITION, VELOCITY = Real("node", 1, vector=3), Real("node", 2, vector=3)
SCHEMA = {"atom": Categorical("node", 3), "position": POSITION, "bond": Categorical("pair", 4, undirected=True)}
NOISY = {**SCHEMA, "velocity": VELOCITY, "charge": Real("whole", 2)}
CODE = {"rank": Categorical("node", 6), "frame": Real("whole", 3, vector=3)}
SMALL = {"width": 16, "layers": 2, "basis": 12, "readout": 4}
KINDS = [("rotations", 0), ("rotations", 4), ("translations", 0), ("translations", 4), ("frame", 0), ("frame", 5)]
PERMUTATIONS, ROTATIONS = Symmetric(), Orthogonal(3)
BOTH = DirectProduct([PERMUTATIONS, ROTATIONS])


def clouds(nodes: int = 6, dtype=torch.float64) -> tuple[State, State, torch.Tensor]:
    """Clouds of ``nodes``, 4 and 1 nodes, codes and times."""
    mask, streams = node_mask(torch.tensor([nodes, 4, 1])), Streams(0, torch.arange(3))
    bond = (uniform((3, nodes, nodes), streams) * 4).long().triu(1) * (mask[:, :, None] & mask[:, None])
    like = torch.zeros((), dtype=dtype)
    values = {
        "atom": (uniform((3, nodes), streams) * 3).long() * mask,
        "position": 2 * normal((3, nodes, 1, 3), streams, like) * mask[..., None, None],
        "bond": bond + bond.mT,
        "velocity": normal((3, nodes, 2, 3), streams, like) * mask[..., None, None],
        "charge": normal((3, 2), streams, like),
    }
    rank = torch.where(mask, torch.arange(nodes) % 6, 0)
    frame = ROTATIONS.sample(mask, streams).to(dtype)
    return (
        State(mask, NOISY, values),
        State(mask, CODE, {"rank": rank, "frame": frame}),
        torch.tensor([0.3, 0.9, 0.5], dtype=dtype),
    )


def network(code=CODE, **settings) -> PointConvolution:
    torch.manual_seed(0)
    made = PointConvolution(schema=SCHEMA, noisy=NOISY, code=code, **{**SMALL, **settings})
    for parameter in made.parameters():  # what starts at zero would hide a broken part
        parameter.data = torch.randn_like(parameter) * 0.3
    return made.double()


def shifted(x: State, by: float = 1.7) -> State:
    move = torch.tensor([by, -2 * by, 0.3], dtype=x["position"].dtype)
    return x.with_values(position=torch.where(x.mask[..., None, None], x["position"] + move, 0.0))


def without(z: State) -> State:
    return z.only("rank")


@pytest.mark.parametrize("neighbors", [0, 2])
@pytest.mark.parametrize(("equivariance", "count"), KINDS)
def test_permutations_and_translations_are_exact(equivariance, count, neighbors):
    x, z, t = clouds()
    net = network(equivariance=equivariance, orientations=count, neighbors=neighbors)
    assert equivariance_error(lambda a, b: net(a, t, b), PERMUTATIONS, x, z, draws=3) < 1e-9
    with torch.no_grad():
        assert difference(shifted(net(x, t, z)), net(shifted(x), t, z)) < 1e-9


@pytest.mark.parametrize(("equivariance", "count"), [kind for kind in KINDS if kind[0] != "translations"])
def test_turns_and_mirrors_are_exact_jointly_with_the_frame(equivariance, count):
    x, z, t = clouds()
    inputs = {"velocity": "framed", "frame": "vectors"}
    for chosen in (None, inputs):
        net = network(equivariance=equivariance, orientations=count, inputs=chosen)
        assert equivariance_error(lambda a, b, net=net: net(a, t, b), BOTH, x, z, draws=3) < 1e-9


def test_without_directions_turns_need_no_frame():
    x, z, t = clouds()
    net = network({"rank": CODE["rank"]}, orientations=0)
    assert equivariance_error(lambda a, b: net(a, t, b), BOTH, x, without(z), draws=3) < 1e-9


def test_more_directions_come_closer_to_all_turns():
    """A grid that stands still has few turns of its own: the error falls as it grows, on a smooth network."""
    x, z, t = clouds()
    errors = []
    for count in (4, 12, 32):
        net = network({"rank": CODE["rank"]}, orientations=count, layers=1)
        with torch.no_grad():
            scale = net(x, t, without(z))["position"].abs().max().item()
        errors.append(equivariance_error(lambda a, b, net=net: net(a, t, b), ROTATIONS, x, without(z), draws=4) / scale)
    assert errors[2] < errors[1] < errors[0]


def test_the_rotations_of_the_grid_are_exact():
    """Four directions are a tetrahedron, which 24 turns and mirrors permute."""
    grid = orientations(4)
    mirror = torch.linalg.lstsq(grid, grid[[1, 0, 2, 3]]).solution.mT
    torch.testing.assert_close(mirror @ mirror.mT, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-6)
    x, z, t = clouds()
    net = network({"rank": CODE["rank"]}, orientations=4)
    net.grid, net.dual, net.around = grid, dual(grid), grid @ grid.mT
    moved = ROTATIONS.act(mirror.expand(3, 3, 3), x)
    with torch.no_grad():
        there, here = net(moved, t, without(z)), net(x, t, without(z))
    assert difference(there, ROTATIONS.act(mirror.expand(3, 3, 3), here)) < 1e-5


@pytest.mark.parametrize(("inputs", "keeps_alone", "keeps_jointly"), [
    (None, False, True),
    ({"velocity": "scalars"}, False, False),
    ({"velocity": "framed"}, False, True),
    ({"frame": "scalars"}, True, False),
    ({}, True, True),
])  # fmt: skip
def test_inputs_as_scalars_break_rotations_and_a_frame_does_where_it_stays(inputs, keeps_alone, keeps_jointly):
    x, z, t = clouds()
    net = network(equivariance="rotations", orientations=0, inputs=inputs)
    alone = equivariance_error(lambda a: net(a, t, z), ROTATIONS, x, draws=4)
    jointly = equivariance_error(lambda a, b: net(a, t, b), ROTATIONS, x, z, draws=4)
    for error, keeps in ((alone, keeps_alone), (jointly, keeps_jointly)):
        assert error < 1e-9 if keeps else error > 1e-3


@pytest.mark.parametrize(("equivariance", "count"), KINDS)
def test_padding_changes_nothing_and_time_zero_gives_the_structure_back(equivariance, count):
    x, z, t = clouds()
    net = network(equivariance=equivariance, orientations=count, neighbors=3)
    with torch.no_grad():
        wide = net(pad(x, 9), t, pad(z, 9))
        assert difference(pad(net(x, t, z), 9), wide) < 1e-9
        back = net(x, torch.zeros_like(t), z)["position"]
    torch.testing.assert_close(back, x["position"], rtol=0, atol=1e-12)


def test_as_many_neighbors_as_others_are_all_pairs():
    x, z, t = clouds()
    every, many, few = (network(neighbors=k) for k in (0, 5, 2))
    with torch.no_grad():
        assert difference(every(x, t, z), many(x, t, z)) < 1e-12
        assert difference(every(x, t, z), few(x, t, z)) > 1e-3


def test_edges_of_neighbors_are_the_nearest():
    x, _, _ = clouds(nodes=7)
    position = x["position"].squeeze(2)
    edges = Edges.among(position, x.mask, 4)
    distance = torch.cdist(position, position).masked_fill(~(x.mask[:, :, None] & x.mask[:, None]), torch.inf)
    found = (edges.gather(position) - position[:, :, None]).norm(dim=-1)
    for row, size in enumerate([7, 4, 1]):
        for node in range(size):
            want = distance[row, node].sort().values[: min(5, size)]
            have = found[row, node][edges.real[row, node]].sort().values
            torch.testing.assert_close(have, want)
    assert not edges.real[~x.mask].any()


@pytest.mark.parametrize("count", [4, 8, 12, 20])
def test_directions_are_spread_and_vectors_come_back_from_them(count):
    grid = orientations(count)
    torch.testing.assert_close(grid.norm(dim=1), torch.ones(count, dtype=torch.float64))
    nearest = (grid @ grid.mT - 2 * torch.eye(count)).max(1).values.arccos()
    assert nearest.min() > 0.8 * (4 * torch.pi / count) ** 0.5  # the side of each one's share of the sphere
    v = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(v @ grid.mT @ dual(grid), v)


def test_monomials_are_all_products_once():
    assert sorted(math.prod([2, 3][k] for k in chosen) for chosen in monomials(2, 2)) == sorted(
        [2, 3, 4, 6, 9, 8, 12, 18, 27]
    )
    assert monomials(2, 0) == [(0,), (1,)]


def test_vectors_that_are_not_seen_are_predicted_themselves():
    """Motion: a displacement out of positions and velocities."""
    x, z, t = clouds()
    schema = {"displacement": Real("node", 1, vector=3), "energy": Real("whole", 1)}
    for equivariance, count in KINDS:
        net = PointConvolution(
            schema=schema, noisy=NOISY, code=CODE, equivariance=equivariance, orientations=count, **SMALL
        ).double()
        out = net(x, t, z)
        assert dict(out.schema) == schema
        assert (out["displacement"][~x.mask] == 0).all()
        with torch.no_grad():
            assert difference(net(shifted(x), t, z), out) < 1e-9


@pytest.mark.parametrize(("settings", "message"), [
    ({"inputs": {"veloicty": "vectors"}}, "velocity"),
    ({"inputs": {"frame": "framed"}}, "framed"),
    ({"orientations": 2}, "orientations"),
    ({"position": "charge"}, "position"),
    ({"neighbors": -1}, "neighbors"),
])  # fmt: skip
def test_what_cannot_be_is_told(settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)


@pytest.mark.parametrize("settings", [{"equivariance": "frame"}, {"inputs": {"velocity": "framed"}}])
def test_a_code_without_a_frame_is_refused(settings):
    with pytest.raises(ValueError, match="frame"):
        network({"rank": CODE["rank"]}, **settings)


def test_coordinates_keep_their_precision_under_autocast():
    x, z, t = clouds(dtype=torch.float32)
    net = network(orientations=4).float()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        back = net(x, torch.zeros_like(t), z)["position"]
    torch.testing.assert_close(back, x["position"], rtol=0, atol=1e-5)


def test_gradients_are_finite_where_points_coincide():
    x, z, t = clouds()
    x = x.with_values(position=torch.zeros_like(x["position"]))
    for equivariance, count in KINDS:
        net = network(equivariance=equivariance, orientations=count)
        net(x, t, z)["position"].square().sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("neighbors", [0, 2])
@pytest.mark.parametrize(("equivariance", "count"), KINDS)
def test_coarser_levels_keep_what_the_kernels_keep(equivariance, count, neighbors):
    x, z, t = clouds(9)
    net = network(equivariance=equivariance, orientations=count, neighbors=neighbors, levels=2)
    group = PERMUTATIONS if equivariance == "translations" else BOTH
    assert equivariance_error(lambda a, b: net(a, t, b), group, x, z, draws=3) < 1e-9
    with torch.no_grad():
        assert difference(shifted(net(x, t, z)), net(shifted(x), t, z)) < 1e-9
        wide = net(pad(x, 13), t, pad(z, 13))
        assert difference(pad(wide, 9), net(x, t, z)) < 1e-9
        plain = network(equivariance=equivariance, orientations=count, neighbors=neighbors)
        assert difference(plain(x, t, z), net(x, t, z)) > 1e-3


def test_farthest_points_by_hand():
    line = torch.tensor([0.0, 1.0, 2.0, 7.0, 10.0, 99.0])
    position = torch.stack([line, 0 * line, 0 * line], -1)[None]
    mask = torch.tensor([[True] * 5 + [False]])
    places, kept = farthest(position, mask, torch.tensor([4]))
    # the mean is 4: the end at 10 is farthest, then 0, then 7 and 2 are 3 and 2 from all
    assert places.tolist() == [[4, 0, 3, 2]] and kept.all()
    both = farthest(position.expand(2, -1, -1), mask.expand(2, -1), torch.tensor([1, 3]))
    assert both[1].tolist() == [[True, False, False], [True, True, True]]
