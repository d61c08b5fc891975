"""Trajectories that are kept: recording changes no sample, and ends with it."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

import symdiff
from symdiff.cli.main import app
from symdiff.errors import UserError
from symdiff.sampling.inpainting import Inpainting
from symdiff.sampling.recorded import Recorded
from symdiff.sampling.request import Request


def same(a, b) -> bool:
    return torch.equal(a.mask, b.mask) and all(torch.equal(a[name], b[name]) for name in b.schema)


@pytest.fixture(scope="module")
def graphs():
    return symdiff.load("qm9-graph")


def test_recording_changes_no_sample_and_the_last_frame_is_it(graphs):
    request = Request(5, seed=3)
    expected = graphs.sample(request, 6).state()
    frames = graphs.record(request, 6)
    assert len(frames) == 7 and same(frames[-1].state(), expected)
    assert same(graphs.record(Request(5, seed=3), Recorded(graphs.sampler(request, 6), 4), 4)[-1].state(), expected)


def test_the_first_frame_is_noise_from_the_prior(graphs):
    sampler, request = graphs.sampler(Request(1), 5), Request(3, sizes=7, seed=1)
    path = Recorded(sampler)(request)
    assert same(path.frames[0], sampler.init(request, request.streams).x)
    assert len(path.frames) == 6 and torch.equal(path.x["atom"], path.frames[-1]["atom"])


def test_frames_are_even_over_the_steps(graphs):
    request = Request(2, sizes=5)
    every = Recorded(graphs.sampler(request, 8), 100)(request).frames
    some = Recorded(graphs.sampler(request, 8), 3)(request).frames
    assert len(every) == 9
    assert all(same(one, every[place]) for one, place in zip(some, (0, 4, 8), strict=True)) and len(some) == 3


def test_hidden_labels_are_shown_as_hidden():
    ising = symdiff.load("ising-sympe")
    condition = ising.domain.options.read_condition({"temperature": "2.3", "size": "4"})
    frames = ising.record(Request(2, condition=condition), 8)
    free = [float((torch.tensor(frame.to_numpy()[0]["spins"]) == 0).double().mean()) for frame in frames]
    assert free[0] == 1 and free[-1] == 0 and free == sorted(free, reverse=True)


def test_what_has_no_trajectory_is_refused(graphs):
    with pytest.raises(UserError, match="at least 2, got 1"):
        Recorded(graphs.sampler(Request(1), 5), 1)
    with pytest.raises(UserError, match="expected one particle for a trajectory, got 3"):
        Recorded(Inpainting(symdiff.load("qm9-3d").diffusion, 4, 3))


def test_an_animated_picture(tmp_path):
    from PIL import Image

    words = ["sample", "qm9-graph", "--count", 3, "--steps", 4, "--out", tmp_path / "a.smi"]
    done = CliRunner().invoke(app, [*map(str, words), "--trajectory", str(tmp_path / "a.gif"), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout)["frames"] == 5
    with Image.open(tmp_path / "a.gif") as image:
        assert getattr(image, "n_frames", 1) >= 2 and image.info["loop"] == 0
    plain = CliRunner().invoke(app, [*map(str, words[:-1]), str(tmp_path / "b.smi")])
    assert plain.exit_code == 0 and (tmp_path / "a.smi").read_bytes() == (tmp_path / "b.smi").read_bytes()


def test_all_frames_of_one_molecule_in_a_file(tmp_path):
    from ase.io import read

    words = ["sample", "qm9-3d", "--count", 2, "--num-nodes", 6, "--steps", 3, "--out", tmp_path / "a.extxyz"]
    done = CliRunner().invoke(app, [*map(str, words), "--trajectory", str(tmp_path / "way.extxyz")])
    assert done.exit_code == 0, (done.output, done.exception)
    way, samples = (read(tmp_path / name, ":") for name in ("way.extxyz", "a.extxyz"))
    assert len(way) == 4 and abs(way[-1].positions - samples[0].positions).max() < 1e-3


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--trajectory", "a.docx"), "a.docx"),
        (("--trajectory", "a.png"), "expected .gif"),
        (("--trajectory", "a.gif", "--metropolis"), "a chain that rejects has none"),
    ],
)
def test_mistakes_come_before_the_work(extra, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["sample", "ising", "--temperature", "2", "--size", "4", "--count", "2", "--out", "s.npz", *extra]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2 and message in done.stderr and not list(tmp_path.iterdir())


def test_frames_of_molecules_are_seen_from_one_side():
    import numpy as np

    from symdiff.chemistry.geometry import Geometry
    from symdiff.chemistry.geometry_picture import picture

    def molecule(position: np.ndarray) -> Geometry:
        return Geometry(np.array([6, 7, 8], np.uint8), np.zeros(3, np.int8), position, None, None, 0)

    first = np.array([[0.0, 0, 0], [1.4, 0, 0], [0, 2.6, 0]])
    turned = first @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    own, theirs = molecule(first), molecule(turned)
    assert picture([theirs], [theirs]) == picture([theirs]) != picture([theirs], [own])
