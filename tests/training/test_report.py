"""A report of a run: what is in its log, the pace, and what is left."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.errors import UserError
from symdiff.training.folder import hold
from symdiff.training.report import read_run

STEPS, EVERY, PACE = 1000, 10, 0.25  # steps, steps between lines, seconds a step


@pytest.fixture
def run(tmp_path):
    """The folder of a run that was stopped at step 400."""
    from symdiff.config import recipe as recipes

    tiny = recipes.set(recipes.load("tiny"), f"training/steps={STEPS}")
    (tmp_path / "recipe.yaml").write_text(recipes.dump(tiny))
    lines = []
    for step in range(EVERY, 401, EVERY):
        lines.append(
            {
                "kind": "train",
                "step": step,
                "loss": 1 / step,
                "gradient_norm": 1.0,
                "learning_rate": 1e-3,
                "skipped": 0,
                "samples_per_second": 128 / PACE,
                "seconds": 100.0 + PACE * step,  # the first steps are no measure of the pace
            }
        )
    lines.insert(20, {"kind": "sample", "step": 200, "count": 10, "validity": 0.5, "examples": ["C"]})
    lines.append({"kind": "sample", "step": 400, "count": 10, "validity": 0.75, "examples": ["C"]})
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_time_left_follows_the_pace_of_the_last_lines(run):
    report = read_run(run)
    assert report.step == 400 and report.state == "stopped"
    assert report.seconds_left == pytest.approx(PACE * (STEPS - 400))
    assert report.samples_per_second == pytest.approx(128 / PACE)
    assert report.loss(0.9, 1) == pytest.approx((1 / 370 + 1 / 380 + 1 / 390 + 1 / 400) / 4)
    assert [one["validity"] for one in report.samples] == [0.5, 0.75]


def test_a_run_that_is_held_is_running_and_one_with_a_summary_has_ended(run):
    with hold(run):
        assert read_run(run).state == "running"
    assert read_run(run).state == "stopped"
    for diverged, state in ((False, "finished"), (True, "diverged")):
        (run / "summary.json").write_text(json.dumps({"diverged": diverged}))
        assert read_run(run).state == state


def test_a_line_that_is_being_written_does_not_count_and_a_damaged_one_is_named(run):
    whole = (run / "log.jsonl").read_text()
    (run / "log.jsonl").write_text(whole + '{"kind": "tr')
    assert len(read_run(run).train) == 40
    (run / "log.jsonl").write_text('{"kind": "tr\n' + whole)
    with pytest.raises(UserError, match="line 1 is damaged"):
        read_run(run)


def test_the_command_prints_and_draws(run):
    done = CliRunner().invoke(app, ["report", str(run)])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "stopped, step 400 of 1000; go on with symdiff train --resume" in done.stdout
    assert "0:02:30 left" in done.stdout and "0.7500" in done.stdout
    assert (run / "report.png").read_bytes().startswith(b"\x89PNG")
    values = json.loads(CliRunner().invoke(app, ["report", str(run), "--json"]).stdout)
    assert values["seconds_left"] == 150.0 and values["samples"][1]["validity"] == 0.75


def test_mistakes(run, tmp_path):
    done = CliRunner().invoke(app, ["report", str(tmp_path / "nothing")])
    assert done.exit_code == 2 and "expected the folder of a training run" in done.stderr
    done = CliRunner().invoke(app, ["report", str(run), "--out", str(run / "x.pdf")])
    assert done.exit_code == 2 and "expected a .png file" in done.stderr


def test_a_run_before_its_first_line(run):
    (run / "log.jsonl").write_text("")
    done = CliRunner().invoke(app, ["report", str(run)])
    assert done.exit_code == 0 and "step 0 of 1000" in done.stdout
