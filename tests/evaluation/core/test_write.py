"""Whatever the evaluation writes is whole or not there: on a full disk the earlier one stays, to the byte."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.shards import Work, work_in_shards
from symdiff_evaluation.core.storage import write_files
from symdiff_evaluation.core.write import write
from symdiff_evaluation.molecules.draw import draw_grid
from tests.full_disk import content, failing  # noqa: F401, a fixture


def report(path: Path, seed: int) -> None:
    samples = path.parent.parent / "samples.smi"
    samples.write_text("CCO\nCC\n" if seed else "CCO\n")
    write(evaluate([samples], "molecule-graph", "none"), path)


def work(path: Path, seed: int) -> None:
    words = [str(number) for number in np.random.default_rng(seed).random(1000)]
    for _ in work_in_shards(Work("w", lambda part, progress: list(part), str.encode, str, str), words, path):
        pass


WRITERS = {
    "a report": report,
    "a reference": lambda path, seed: write_files(
        {"seed": seed}, {"x": np.random.default_rng(seed).random(10_000)}, path
    ),
    "shards": work,
    "drawing.svg": lambda path, seed: draw_grid(["CCO" * (20 + seed)] * 4, path),
    "drawing.png": lambda path, seed: draw_grid(["CCO" * (20 + seed)] * 4, path),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there(name, tmp_path, failing):  # noqa: F811
    path = tmp_path / "out" / name
    WRITERS[name](path, 0)
    before = content(tmp_path / "out")
    assert before
    with pytest.raises(UserError) as caught, failing():
        WRITERS[name](path, 1)
    assert "\n" not in str(caught.value) and name.partition(".")[0] in str(caught.value)
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize("name", WRITERS)
def test_where_nothing_may_be_written_there_is_one_line(name, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError) as caught:
        WRITERS[name](tmp_path / "file" / name, 1)
    assert "\n" not in str(caught.value)


def test_a_report_behind_a_link_is_replaced_where_it_is(tmp_path):
    report(tmp_path / "out" / "report", 0)
    (tmp_path / "out" / "link").symlink_to(tmp_path / "out" / "report")
    report(tmp_path / "out" / "link", 1)
    assert (tmp_path / "out" / "link").is_symlink() and sorted(os.listdir(tmp_path / "out")) == ["link", "report"]


@pytest.mark.parametrize("name", [os.fsdecode(b"\xff\xfe.smi"), "ä" * 120 + ".smi"])
def test_a_file_of_any_name_is_evaluated(name, tmp_path):
    try:
        (tmp_path / name).write_text("CCO\n")
    except OSError:
        pytest.skip("this file system has no such name")
    write(evaluate([tmp_path / name], "molecule-graph", "none"), tmp_path / "report")
    assert (tmp_path / "report" / "metrics.json").is_file()
