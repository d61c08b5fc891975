"""Point clouds: objects to arrays and files and back, and everything that is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symdiff.domains.base import domain_from_spec
from symdiff.domains.points import PointCloud
from symdiff.domains.points_codec import AXES
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.random import Streams
from symdiff.state import Categorical, Real
from symdiff.testing import action_law_error

VECTOR = Real("node", 1, vector=3)
GIVEN = {
    "position": VECTOR,
    "velocity": VECTOR,
    "pose": AXES,
    "kind": Categorical("whole", 4),
    "bone": Categorical("pair", 3, undirected=True),
}
DOMAIN = PointCloud(GIVEN, {"part": Categorical("node", 5), "displacement": VECTOR})


def cloud(points: int, seed: int = 0) -> dict:
    draw = np.random.default_rng(seed)
    edges = np.array([[0, 1]] if points > 1 else np.zeros((0, 2)), np.int16)
    return {
        **{name: draw.normal(size=(points, 1, 3)) for name in ("position", "velocity", "displacement")},
        "kind": np.int64(seed % 4),
        "edges": edges,
        "bone": np.full(len(edges), 2),
        "part": draw.integers(0, 5, points),
    }


def test_objects_come_back_centered_with_the_axes_as_their_pose():
    objs = [cloud(4), cloud(1, 1), cloud(3, 2)]
    state = DOMAIN.collate([DOMAIN.encode(obj) for obj in objs])
    assert DOMAIN.conditions == tuple(GIVEN) and state.mask.sum().item() == 8
    for obj, found in zip(objs, DOMAIN.decode(state), strict=True):
        assert np.allclose(found["position"], obj["position"] - obj["position"].mean(0), atol=1e-6)
        assert np.array_equal(found["pose"], np.eye(3)) and found["kind"] == obj["kind"]
        for name in ("velocity", "displacement"):
            assert np.allclose(found[name], obj[name], atol=1e-6)
        assert np.array_equal(found["part"], obj["part"])
        assert np.array_equal(found["edges"], obj["edges"]) and np.array_equal(found["bone"], obj["bone"])


def test_the_spec_and_the_group():
    again = domain_from_spec(DOMAIN.spec)
    assert again.spec == DOMAIN.spec and dict(again.schema) == dict(DOMAIN.schema)
    state = DOMAIN.collate([DOMAIN.encode(cloud(4)), DOMAIN.encode(cloud(2, 1))]).to(torch.float64)
    assert action_law_error(DOMAIN.group, state, Streams(0, torch.arange(2)), draws=3) < 1e-9
    chiral = PointCloud(GIVEN, {"part": Categorical("node", 5)}, chiral=True)
    assert chiral.group.groups[1].special and not DOMAIN.group.groups[1].special


def test_a_pose_turns_with_the_points():
    state = DOMAIN.collate([DOMAIN.encode(cloud(4))]).to(torch.float64)
    group = Orthogonal(3)
    g = group.sample(state.mask, Streams(3, torch.arange(1)))
    moved = group.act(g, state)
    along = torch.einsum("bkc,bndc->bndk", moved["pose"], moved["position"])
    assert torch.allclose(along, state["position"], atol=1e-9)


def test_files_come_back(tmp_path):
    objs = DOMAIN.decode(DOMAIN.collate([DOMAIN.encode(cloud(4)), DOMAIN.encode(cloud(2, 1))]))
    DOMAIN.write(objs, tmp_path / "clouds.npz")
    for obj, found in zip(objs, DOMAIN.read(tmp_path / "clouds.npz"), strict=True):
        assert all(np.array_equal(obj[name], found[name]) for name in obj)
    DOMAIN.write([], tmp_path / "none.npz")
    assert DOMAIN.read(tmp_path / "none.npz") == []
    given = DOMAIN.options.read_condition({"clouds": str(tmp_path / "clouds.npz")})
    assert set(given.schema) == set(GIVEN) and given.num_nodes.tolist() == [4, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"position": np.full((4, 1, 3), np.nan)}, "position: expected finite numbers, got NaN"),
        ({"velocity": np.full((4, 1, 3), np.inf)}, "velocity: expected finite"),
        ({"position": np.zeros((0, 1, 3))}, "expected 1 to 4096 points, got 0"),
        ({"position": np.zeros((100_000, 1, 3))}, "got 100000"),
        ({"velocity": np.zeros((3, 1, 3))}, r"velocity: expected shape \(4, 1, 3\), got \(3, 1, 3\)"),
        ({"part": np.array([0, 1, 2, 5])}, "part: expected labels 0 to 4"),
        ({"part": np.array([0.0, 1, 2, 3])}, "part: expected labels"),
        ({"bone": np.array([0])}, "bone: expected labels 1 to 2"),
        ({"edges": np.array([[0, 4]])}, "edges: expected 0 <= i < j < 4"),
        ({"edges": np.array([[0.0, 1.0]])}, "edges: expected integers"),
        ({"velocity": None}, "'velocity' is missing"),
    ],
)
def test_what_does_not_fit_is_one_line(change, message):
    with pytest.raises(UserError, match=message) as caught:
        DOMAIN.encode({**cloud(4), **change})
    assert "\n" not in str(caught.value)


def test_broken_files_are_one_line(tmp_path):
    path = tmp_path / "clouds.npz"
    objs = [cloud(4), cloud(2, 1)]
    DOMAIN.write(DOMAIN.decode(DOMAIN.collate([DOMAIN.encode(obj) for obj in objs])), path)
    arrays = dict(np.load(path))
    for change, message in (
        ({"velocity": arrays["velocity"][:-1]}, "velocity: expected 6 rows"),
        ({"num_nodes": np.array([[4, 2]])}, "num_nodes: expected one count"),
        ({"num_nodes": np.array([-1, 7])}, "num_nodes: expected one count"),
        (
            {"velocity": np.where(np.arange(6)[:, None, None] == 5, np.nan, arrays["velocity"])},
            "cloud 2: velocity: expected finite",
        ),
    ):
        np.savez(path, **{**arrays, **change})
        for reading in (DOMAIN.read, lambda path: DOMAIN.options.read_condition({"clouds": str(path)})):
            with pytest.raises(UserError, match=message):
                reading(path)
    np.savez(path, **{name: value for name, value in arrays.items() if name != "velocity"})
    with pytest.raises(UserError, match="the array 'velocity' is missing"):
        DOMAIN.read(path)
    with pytest.raises(UserError, match="--clouds: expected a .npz file"):
        DOMAIN.options.read_condition({})
    with pytest.raises(UserError, match="ends in .npz"):
        DOMAIN.write(objs, tmp_path / "clouds.xyz")


@pytest.mark.parametrize(
    ("given", "predicted", "message"),
    [
        ({"velocity": VECTOR}, {"part": Categorical("node", 2)}, "expected a field 'position'"),
        ({"position": VECTOR}, {}, "expected fields that are predicted"),
        ({"position": VECTOR}, {"position": VECTOR}, "expected fields that are predicted, and none that is given"),
        ({"position": VECTOR, "bond": Categorical("pair", 2)}, {"part": Categorical("node", 2)}, "'bond'"),
    ],
)
def test_domains_that_cannot_be(given, predicted, message):
    with pytest.raises(UserError, match=message):
        PointCloud(given, predicted)
