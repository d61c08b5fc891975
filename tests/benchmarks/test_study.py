"""The study of both breakings: its measures by hand, its cells, and that it goes on where it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from benchmarks.study import TURNS, error, figure, measure, numbers, run, table, turned
from benchmarks.study_cells import TASKS, Cell, cells
from symdiff.config import recipe as recipes
from symdiff.data.dataset import Dataset
from symdiff.domains.arrays import pack
from symdiff.domains.points import PointCloud
from symdiff.domains.points_codec import AXES
from symdiff.pipeline import SymdiffPipeline
from symdiff.random import Streams
from symdiff.state import Categorical, Real, State, node_mask

VECTOR = Real("node", 1, vector=3)
MOTION, SMALL = TASKS["motion"], ("denoiser/width=12", "denoiser/layers=1", "denoiser/basis=8", "training/steps=3")


@pytest.fixture
def walkers(tmp_path, monkeypatch) -> Dataset:
    """Clouds that move on straight lines, a quarter of them for the test."""
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    draw = np.random.default_rng(0)
    domain = PointCloud({"position": VECTOR, "velocity": VECTOR, "pose": AXES}, {"displacement": VECTOR})
    records = []
    for _ in range(12):
        velocity = draw.normal(size=(5, 1, 3))
        records.append(
            domain.encode({"position": draw.normal(size=(5, 1, 3)), "velocity": velocity, "displacement": velocity / 4})
        )
    dataset = Dataset.from_arrays(
        domain, {**pack(records, domain.schema), "split": np.array([0, 0, 0, 2] * 3, np.uint8)}, {"name": "walkers"}
    )
    dataset.save(tmp_path / "walkers")
    return Dataset.open(tmp_path / "walkers")


def small(walkers: Dataset) -> recipes.Recipe:
    recipe = recipes.load("cmu-walk")
    for assignment in (f"data/dataset={walkers.path}", *SMALL):
        recipe = recipes.set(recipe, assignment)
    return recipe


def test_a_turn_is_about_the_axis_that_it_says(walkers):
    x = walkers.batch(torch.arange(12)).to(torch.float64)
    for kind, widest in (
        ("as they are", 0.0),
        ("±15° about the vertical", math.radians(15)),
        ("about the vertical", math.pi),
    ):
        g, moved = turned(x, kind, 1, Streams(0, torch.arange(12)))
        assert torch.equal(moved["position"][..., 1], x["position"][..., 1])  # heights stay
        assert torch.allclose(torch.linalg.det(g), torch.ones(12, dtype=torch.float64))
        angle = torch.acos(((g.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1))
        assert angle.max() <= widest + 1e-6 and (angle.max() > widest / 2 or not widest)
    assert turned(x, "all rotations", 1, Streams(0, torch.arange(12)))[0][:, 1, 1].min() < 0


def test_errors_by_hand():
    mask = node_mask(torch.tensor([4, 2]))
    labels = {"part": Categorical("node", 3)}
    truth = State(mask, labels, {"part": torch.tensor([[0, 0, 1, 1], [2, 2, 0, 0]])})
    guess = State(mask, labels, {"part": torch.tensor([[0, 1, 1, 1], [2, 2, 0, 0]])})
    # part 0: one of two, part 1: two of three; nothing of part 2 in either
    assert error(guess, truth).tolist() == pytest.approx([1 - (1 / 2 + 2 / 3) / 2, 0.0])
    moved = {"displacement": VECTOR}
    off = torch.zeros(2, 4, 1, 3)
    off[0, 0, 0], off[1, 1, 0, 0] = torch.tensor([1.0, 2.0, 2.0]), 3.0
    zero = State(mask, moved, {"displacement": torch.zeros(2, 4, 1, 3)})
    assert error(State(mask, moved, {"displacement": off}), zero).tolist() == pytest.approx([9 / 12, 9 / 6])
    number = {"property": Real("whole", 1)}
    one, other = (State(mask, number, {"property": torch.tensor(value)}) for value in ([[1.0], [-2.0]], [[0.0], [0.0]]))
    assert error(one, other).tolist() == [1, 2]


def test_several_numbers_are_compared_by_their_spreads_and_shown_each():
    task, mask = TASKS["properties"], node_mask(torch.tensor([2, 3]))
    spread, times = (torch.tensor(each) for each in zip(*task.columns.values(), strict=True))
    schema = {"property": Real("whole", 5)}
    off = torch.stack([spread, 3 * spread * torch.tensor([1, 0, 0, 0, 0])])
    found = error(State(mask, schema, {"property": off}), State(mask, schema, {"property": torch.zeros(2, 5)}))
    assert found.shape == (2, 5)
    first, *each = numbers(found, task)
    assert first == pytest.approx(100 * (2.0 + 4 * 0.5) / 5, rel=1e-5)
    assert each == pytest.approx((spread * times * torch.tensor([2, 0.5, 0.5, 0.5, 0.5])).tolist(), rel=1e-5)
    result = {
        **vars(Cell("rotations, 0 directions", "nothing", False)),
        "seed": 0,
        "changes": 0.0,
        "count": 2,
        "parameters": 9,
    }
    result |= {"errors": dict.fromkeys(TURNS, first), "columns": dict.fromkeys(TURNS, each)}
    text = table([result], task, {"the median": [70.0, 1.0, 2.0, 3.0, 4.0, 5.0]})
    assert "| the median |  |  | 1 | 2 | 3 | 4 | 5 |" in text and "| mu, debye | alpha, cubic bohr |" in text
    assert f"| {each[0]:.3g} / {each[0]:.3g} |" in text and "| 0.0145 | 0.0522 | 21.4 | 19.3 | 0.0275 |" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TASKS))
def test_every_cell_is_a_recipe(name):
    task = TASKS[name]
    rows = cells(task)
    assert len({cell.folder for cell in rows}) == len(rows) >= 20
    for cell in rows:
        recipe = recipes.load(task.recipe)
        for assignment in (*task.settings, *cell.settings(task)):
            recipe = recipes.set(recipe, assignment)
        assert ("augment" in recipe.objective) == cell.augmented


@pytest.mark.slow
def test_a_cell_is_trained_once_and_measured_under_all_turns(walkers, tmp_path):
    recipe, out = small(walkers), tmp_path / "study"
    rows = [Cell(f"{kernels}, 0 directions", "velocity as vectors", False) for kernels in ("rotations", "translations")]
    kept, broken = results = [run(cell, 0, MOTION, recipe, out) for cell in rows]
    assert set(kept["errors"]) == set(TURNS) and kept["count"] == 3
    assert max(kept["errors"].values()) == pytest.approx(min(kept["errors"].values()), rel=1e-4)
    assert kept["changes"] < 1e-5 < 1e-2 < broken["changes"]
    summary = next(out.glob("*/0/summary.json"))
    before = summary.stat().st_mtime_ns
    assert run(rows[0], 0, MOTION, recipe, out) == kept
    assert summary.stat().st_mtime_ns == before
    text = table(results, MOTION, {"no motion": [1.0]})
    assert text.count("\n") == 6 and "| rotations, 0 directions | velocity as vectors | no |" in text
    figure(results, MOTION, {"no motion": [1.0]}, out / "figure.png")
    assert (out / "figure.png").stat().st_size > 1000


def test_the_transformer_sees_the_axes_as_they_are_told(walkers, tmp_path):
    recipe = small(walkers)
    for frame, exact in (("in the frame of the pose", True), ("in coordinates as they are", False)):
        cell = Cell("transformer", frame, False)
        result = run(cell, 0, MOTION, recipes.set(recipe, "training/steps=2"), tmp_path / "study")
        assert (result["changes"] < 1e-5) == exact
        pipeline = SymdiffPipeline.load(tmp_path / "study" / cell.folder / "0" / "checkpoint")
        again = measure(pipeline, walkers.split("test"), MOTION)
        assert again["errors"] == result["errors"]
