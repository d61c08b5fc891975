"""Classes out of the tree: named by recipes and checkpoints once their module is imported or installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from symdiff.cli.main import main
from symdiff.config import extensions, find
from symdiff.denoisers import Denoiser
from symdiff.errors import UserError
from symdiff.groups import Symmetric
from symdiff.processes import Flow
from symdiff.state import schema_to_plain
from symdiff.testing import difference

OWN = Path(__file__).with_name("own_parts.py")
RECIPE = """
name: own
data: {dataset: small-molecules}
denoiser: {kind: %s, width: 16}
process: {kind: Flow}
breaker: {kind: Noise, dim: 4}
training:
  steps: 3
  batch: {size: 8}
  optimizer: {warmup: 1}
  compute: {precision: fp32}
  sample: {every: 0}
sampling: {steps: 4}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    paths = os.pathsep.join(path for path in sys.path if path and Path(path) != OWN.parent)
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-m", "symdiff", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a module of one's own, a recipe that names its class, and a run of it."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(OWN, folder / "my_parts.py")
    (folder / "own.yaml").write_text(RECIPE % "Means")
    done = run(folder, "train", "own.yaml", "--out", "run", "--import", "my_parts")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_a_denoiser_out_of_the_tree_is_trained_sampled_and_scored(folder):
    checkpoint = folder / "run" / "checkpoint"
    assert json.loads((checkpoint / "model_index.json").read_text())["denoiser"] == ["my_parts", "Means"]
    done = run(folder, "sample", str(checkpoint), "--count", "3", "--out", "own.smi", "--import", "my_parts")
    assert done.returncode == 0 and len((folder / "own.smi").read_text().splitlines()) == 3, done.stderr


@pytest.mark.slow
def test_without_the_import_one_line_says_what_to_do(folder):
    done = run(folder, "sample", "run/checkpoint", "--count", "3", "--out", "other.smi")
    assert done.returncode == 2 and "--import my_parts" in done.stderr and "\n" not in done.stderr.strip()
    assert not (folder / "other.smi").exists()


MISTAKES = {
    "nowhere": "--import nowhere: no such module, neither installed nor in",
    "broken": "--import broken: it cannot be imported: SyntaxError",
    "lacking": "--import lacking: it needs the package 'not_there_at_all', which is not installed",
}


@pytest.mark.parametrize("verb", ["train", "sample", "evaluate"])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_module_that_cannot_be_imported_is_one_line(name, verb, tmp_path, monkeypatch, capsys):
    (tmp_path / "broken.py").write_text("def\n")
    (tmp_path / "lacking.py").write_text("import not_there_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    arguments = {"train": ["own.yaml"], "sample": ["x", "--count", "1", "--out", "a"], "evaluate": ["x", "--out", "a"]}
    monkeypatch.setattr(sys, "argv", ["symdiff", verb, *arguments[verb], "--import", name])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and MISTAKES[name] in error


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package whose entry point names the module ``their_parts``."""

    def install(text: str) -> None:
        (tmp_path / "their_parts.py").write_text(text)
        information = tmp_path / "theirs-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[{extensions.GROUP}]\ntheirs = their_parts\n")
        monkeypatch.syspath_prepend(tmp_path)
        extensions.load_extensions.cache_clear()

    yield install
    extensions.load_extensions.cache_clear()
    sys.modules.pop("their_parts", None)


def test_an_entry_point_makes_classes_known(installed):
    with pytest.raises(UserError, match="expected the name of a Denoiser, got 'TheirMeans'"):
        find(Denoiser, "TheirMeans")
    installed(OWN.read_text().replace("class Means", "class TheirMeans"))
    assert find(Denoiser, "TheirMeans").__module__ == "their_parts"


def test_an_entry_point_that_is_broken_is_one_line_and_only_where_it_may_matter(installed):
    installed("raise RuntimeError('out of\\norder')\n")
    assert find(Denoiser, "NodeTransformer").__name__ == "NodeTransformer"
    with pytest.raises(
        UserError, match=r"extension theirs \(their_parts\): it cannot be imported: RuntimeError: out of order"
    ):
        find(Denoiser, "Unknown")


def test_the_denoiser_out_of_the_tree_is_equivariant(graph_batch, monkeypatch):
    monkeypatch.syspath_prepend(OWN.parent)
    from own_parts import Means

    process = Flow(schema_to_plain(graph_batch.schema), {"atom": [0.25] * 4, "bond": [0.25] * 4})
    noisy = schema_to_plain(process.noisy_schema())
    model = Means(schema_to_plain(graph_batch.schema), noisy, {}).double()
    group, t = Symmetric(), torch.rand(len(graph_batch), dtype=torch.float64)
    g = group.sample(graph_batch.mask)
    z = graph_batch.only()
    assert difference(group.act(g, model(graph_batch, t, z)), model(group.act(g, graph_batch), t, z)) < 1e-9
