"""Motion, parts and properties from files of their formats: what is seen, what is predicted, and how they are split."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symdiff.data.registry import open_dataset
from symdiff.data.sets import parts
from symdiff.data.sets import qm9_properties as properties
from symdiff.data.sets.motion import AHEAD, RATE, TEST, VALID, bones, walk
from symdiff.data.sets.parts import first_mm
from symdiff.data.sets.qm9_properties import HARTREE, PROPERTIES
from symdiff.errors import UserError

PARENTS = np.array([-1, 0, 1, 2, 0])
TRIALS = [*range(1, 27), *range(28, 35)]  # 17 to 26 are runs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_DATA", str(tmp_path))
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    for name in ("mocap_cmu35", "parts3d", "qm9"):
        (tmp_path / name).mkdir()
    return tmp_path


def motion(folder, **change) -> dict:
    """33 trials of 12 frames, of 5 joints: each trial has a constant velocity of its own."""
    frames, joints = 12, len(PARENTS)
    velocity = np.arange(1, len(TRIALS) + 1)[:, None, None, None] * np.array([0.01, 0.0, -0.02])
    pos = np.random.default_rng(0).normal(size=(1, 1, joints, 3)) + velocity * np.arange(frames)[None, :, None, None]
    ptr = np.arange(len(TRIALS) + 1) * frames
    arrays = {
        "pos": pos.reshape(-1, joints, 3).astype(np.float32),
        "ptr": ptr,
        "trial": np.array(TRIALS),
        "parents": PARENTS,
    }
    np.savez(
        folder / "mocap_cmu35" / "subject35_30fps.npz",
        **{k: v for k, v in {**arrays, **change}.items() if v is not None},
    )
    return arrays


def test_where_joints_will_be(folder):
    arrays = motion(folder)
    dataset = open_dataset("cmu-walk")
    frames = 12 - AHEAD - 1
    assert len(dataset) == 23 * frames and dataset.domain.conditions == ("position", "velocity", "pose", "bone")
    x = dataset.batch(torch.arange(len(dataset)))
    walks = [k for k, trial in enumerate(TRIALS) if not 17 <= trial <= 26]
    step = torch.tensor([[(k + 1) * 0.01, 0.0, (k + 1) * -0.02] for k in walks]).repeat_interleave(frames, 0)
    assert torch.allclose(x["velocity"], RATE * step[:, None, None].expand_as(x["velocity"]), atol=1e-3)
    assert torch.allclose(x["displacement"], AHEAD * step[:, None, None].expand_as(x["displacement"]), atol=1e-4)
    assert x["position"].mean(1).abs().max() < 1e-5
    later = torch.from_numpy(arrays["pos"])[1 : 1 + frames]
    assert torch.allclose(x["position"][:frames, :, 0], later - later.mean(1, keepdim=True), atol=1e-5)
    assert torch.equal(x["pose"], torch.eye(3).expand_as(x["pose"]))


def test_no_trial_is_in_two_splits(folder):
    motion(folder)
    split = walk().columns.arrays["split"].view(23, -1)
    assert bool((split == split[:, :1]).all())
    held = {k: [number for number in range(23) if split[number, 0] == k] for k in (0, 1, 2)}
    assert held[1] == sorted(VALID) and held[2] == sorted(TEST) and len(held[0]) == 11


def test_bones_are_counted_along_the_skeleton():
    edges, apart = bones(PARENTS)
    found = {tuple(edge): int(count) for edge, count in zip(edges.tolist(), apart, strict=True)}
    assert found == {(0, 1): 1, (1, 2): 1, (2, 3): 1, (0, 4): 1, (0, 2): 2, (1, 3): 2, (1, 4): 2}


def objects(folder, **change) -> dict:
    """Six objects of one category and two of another, of 9 points each; one point has no normal."""
    draw, count, points = np.random.default_rng(1), 8, 9
    arrays = {
        "pos": draw.normal(size=(count * points, 3)).astype(np.float32),
        "normal": draw.normal(size=(count * points, 3)).astype(np.float32),
        "part": draw.integers(0, 5, count * points).astype(np.uint8),
        "ptr": np.arange(count + 1) * points,
        "category": np.array([0, 1, 0, 0, 1, 0, 0, 0], np.uint8),
    }
    arrays["normal"][20] = np.nan
    np.savez(folder / "parts3d" / "firstmm_db.npz", **{k: v for k, v in {**arrays, **change}.items() if v is not None})
    return arrays


def test_parts_are_drawn_from_points_that_have_a_normal(folder):
    arrays = objects(folder)
    dataset = first_mm(points=6, draws=3)
    assert dataset.meta["left_out"] == {"points without a normal": 1} and len(dataset) == 24
    x = dataset.batch(torch.arange(24))
    assert bool(x["normal"].isfinite().all()) and x["part"].shape == (24, 6)
    for row in range(24):  # every drawn point is one of the object's, with its own label, and none is drawn twice
        place = row // 3
        own = slice(place * 9, place * 9 + 9)
        match = (
            (torch.from_numpy(arrays["normal"][own])[None] - x["normal"][row]).norm(dim=-1).nan_to_num(9.0).argmin(1)
        )
        assert len(set(match.tolist())) == 6
        assert torch.equal(torch.from_numpy(arrays["part"][own]).long()[match], x["part"][row])
        assert x["category"][row] == arrays["category"][place]
    assert x["position"].norm(dim=-1).max() < 2 and not torch.equal(x["part"][0], x["part"][1])


def test_no_object_is_in_two_splits(folder):
    objects(folder)
    split = first_mm(points=6, draws=3).columns.arrays["split"].view(8, 3)
    assert bool((split == split[:, :1]).all())
    # category 0: objects 0, 2, 3, 5, 6, 7; category 1: objects 1, 4
    assert split[:, 0].tolist() == [0, 0, 2, 0, 2, 1, 2, 0]


def molecules(folder, monkeypatch, **change) -> dict:
    monkeypatch.setattr(properties, "TRAIN", 4)
    monkeypatch.setattr(properties, "VALID", 2)
    sizes = np.array([1, 3, 2, 4, 5, 3, 2, 1, 2])
    draw, total = np.random.default_rng(2), int(sizes.sum())
    geometry = {
        "z": draw.choice([1, 6, 7, 8, 9], total).astype(np.uint8),
        "pos": draw.normal(size=(total, 3)).astype(np.float32),
        "offsets": np.concatenate([[0], sizes.cumsum()]),
        "uncharacterized": np.arange(9) == 3,
    }
    names = np.array([column for column, _ in PROPERTIES.values()])
    table = {"props": draw.normal(size=(9, len(names))), "names": names}
    np.savez(folder / "qm9" / "qm9_geom.npz", **{k: v for k, v in {**geometry, **change}.items() if v is not None})
    np.savez(folder / "qm9" / "qm9_props.npz", **table)
    return {**geometry, **table}


def test_molecules_have_their_property_in_its_unit(folder, monkeypatch):
    arrays = molecules(folder, monkeypatch)
    kept = [0, 1, 2, 4, 5, 6, 7, 8]
    for place, name in enumerate(PROPERTIES):
        dataset = open_dataset(f"qm9-{name}")
        x = dataset.batch(torch.arange(8))
        unit = HARTREE if name in ("homo", "lumo") else 1.0
        assert torch.allclose(
            x["property"][:, 0].double(), torch.from_numpy(arrays["props"][kept, place] * unit), atol=1e-4
        )
        assert x.num_nodes.tolist() == [1, 3, 2, 5, 3, 2, 1, 2]
    together = open_dataset("qm9-properties").batch(torch.arange(8))["property"]
    assert torch.equal(
        together, torch.cat([open_dataset(f"qm9-{name}").batch(torch.arange(8))["property"] for name in PROPERTIES], 1)
    )
    for row, molecule in enumerate(kept):
        part = slice(arrays["offsets"][molecule], arrays["offsets"][molecule + 1])
        assert [(1, 6, 7, 8, 9)[k] for k in x["atom"][row][x.mask[row]].tolist()] == arrays["z"][part].tolist()
        centered = arrays["pos"][part] - arrays["pos"][part].mean(0)
        assert torch.allclose(x["position"][row, :, 0][x.mask[row]], torch.from_numpy(centered), atol=1e-5)
    assert dataset.columns.arrays["split"].bincount().tolist() == [4, 2, 2]
    order = np.random.RandomState(42).permutation(8)
    assert set(order[:4]) == set(torch.nonzero(dataset.columns.arrays["split"] == 0)[:, 0].tolist())


def test_files_that_lack_something_are_named(folder, monkeypatch):
    with pytest.raises(UserError, match="no such file"):
        walk()
    motion(folder, parents=None)
    with pytest.raises(UserError, match="subject35_30fps.npz: the array 'parents' is missing"):
        walk()
    objects(folder, normal=None)
    with pytest.raises(UserError, match="'normal' is missing"):
        first_mm()
    molecules(folder, monkeypatch, z=None)
    with pytest.raises(UserError, match="'z' is missing"):
        properties.qm9("mu")
    with pytest.raises(UserError, match="more than 6"):
        properties.split(6)
    assert parts.POINTS <= 134  # the smallest object has so many points
