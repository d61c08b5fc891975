"""One training, whatever the number of processes; and one run a folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from symdiff.config import recipe as recipes
from symdiff.data.sets.lattices import ising
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline
from symdiff.sampling.request import Request
from symdiff.training.folder import HOLDER, LOCK, hold
from symdiff.training.run import train
from symdiff.training.samples import judge

pytestmark = pytest.mark.slow  # starts processes that import torch

# in fp32: bf16 rounds what every process sums to three digits
GRAPH = """
name: graph
data: {dataset: small-molecules, order: smiles}
denoiser: {kind: NodeTransformer, width: 32, layers: 1, heads: 2}
process: {kind: Flow, prior: marginal}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 8}}
training: {steps: 60, batch: {size: 32}, optimizer: {learning_rate: 1.0e-2, warmup: 5}, average: {decay: 0.9},
  compute: {precision: fp32}, save: {every: 25}, sample: {every: 0}, log: {every: 20}}
sampling: {steps: 8}
"""
LATTICE = """
name: lattice
data: {dataset: DATASET}
denoiser: {kind: LatticeConvolution, width: 64, widening: 2, layers: 1}
process: {kind: Masked, evenly: true}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Sites, fields: [spin],
  group: {kind: Space, lattice: square}}, code: {kind: SiteCode, dim: 4}}
training: {steps: 60, batch: {size: 7}, optimizer: {kind: muon, learning_rate: 3.0e-3, warmup: 5},
  average: {decay: 0.9}, compute: {precision: fp32}, save: {every: 25}, sample: {every: 0}, log: {every: 20}}
sampling: {steps: 4}
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("data")
    ising(4, chains=8, rounds=2).save(folder / "ising-4")
    return {"graph": GRAPH, "lattice": LATTICE.replace("DATASET", str(folder / "ising-4"))}


@pytest.fixture(scope="module")
def alone(texts, tmp_path_factory) -> dict[str, Path]:
    """Both recipes, trained by this process."""
    folder = tmp_path_factory.mktemp("alone")
    for name, text in texts.items():
        train(recipes.load(text), folder / name)
    return {name: folder / name for name in texts}


def saved(out: Path) -> dict[str, torch.Tensor]:
    """All numbers of the last state and of the checkpoint."""
    state = max((out / "state").iterdir())
    files = [*state.glob("*.safetensors"), *(out / "checkpoint").glob("*/*.safetensors")]
    return {
        f"{path.parent.name}/{path.stem}/{name}": tensor for path in files for name, tensor in load_file(path).items()
    }


def validity(out: Path) -> float:
    pipeline = Pipeline.load(out / "checkpoint")
    return judge(pipeline.domain, pipeline.sample(Request(100, seed=1)).state())["validity"]


def log(out: Path, kind: str = "train") -> list[dict]:
    return [
        record for record in map(json.loads, (out / "log.jsonl").read_text().splitlines()) if record["kind"] == kind
    ]


def assert_close(one: dict, other: dict) -> None:
    assert one.keys() == other.keys() and {"weights", "average", "optimizer"} <= {name.split("/")[1] for name in one}
    for name, tensor in one.items():
        torch.testing.assert_close(
            tensor, other[name], rtol=0, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("name", ["graph", "lattice"])
@pytest.mark.parametrize("world", [2, 3])
def test_several_processes_save_what_one_saves(name, world, texts, alone, train_in_world, tmp_path):
    codes, words = train_in_world(world, texts[name], tmp_path / "run")
    assert codes == [0] * world, words
    assert_close(saved(alone[name]), saved(tmp_path / "run"))
    for one, other in zip(log(alone[name]), log(tmp_path / "run"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-5) and one["learning_rate"] == other["learning_rate"]
    if name == "graph":
        share = validity(alone[name])
        assert share == validity(tmp_path / "run") and share > 0.2


@pytest.mark.parametrize(("name", "world", "rank"), [("graph", 3, 1), ("lattice", 2, 0)])
def test_a_killed_process_changes_nothing(name, world, rank, texts, train_in_world, tmp_path):
    codes, words = train_in_world(world, texts[name], tmp_path / "whole")
    assert codes == [0] * world, words
    codes, words = train_in_world(world, texts[name], tmp_path / "run", kill=(rank, 31))
    assert codes == [-signal.SIGKILL if one == rank else 2 for one in range(world)]
    said = words[(rank + 1) % world].splitlines()[-1]
    assert said.startswith("error: step 32: another process of this run has ended (") and said.endswith(
        f"; go on with --resume {tmp_path / 'run'}"
    )
    codes, words = train_in_world(world, texts[name], tmp_path / "run", resume=True)
    assert codes == [0] * world, words
    whole, resumed = saved(tmp_path / "whole"), saved(tmp_path / "run")
    assert whole.keys() == resumed.keys() and all(torch.equal(tensor, resumed[key]) for key, tensor in whole.items())
    assert not log(tmp_path / "run", "note")


def test_a_run_goes_on_with_another_number_of_processes_and_says_so(texts, alone, train_in_world, tmp_path):
    codes, _ = train_in_world(2, texts["graph"], tmp_path / "run", kill=(0, 31))
    assert -signal.SIGKILL in codes
    codes, words = train_in_world(1, texts["graph"], tmp_path / "run", resume=True)
    assert codes == [0], words
    assert_close(saved(alone["graph"]), saved(tmp_path / "run"))
    (note,) = log(tmp_path / "run", "note")
    assert note["step"] == 25 and note["text"].startswith(
        "resumed at step 25 with 1 processes after 2: data, noise and learning rate are the same"
    )
    assert note["text"] in words[0]


@pytest.mark.parametrize("resume", [False, True])
def test_the_second_run_in_a_folder_is_told_who_is_there(resume, texts, alone, fork, tmp_path):
    """The lock dies with its holder: by SIGKILL here."""
    out = tmp_path / "run"
    if resume:
        train(recipes.load(texts["graph"].replace("steps: 60", "steps: 2")), out)
    first = fork(asleep, out)
    while not (out / HOLDER).exists() or not (out / HOLDER).read_text():
        time.sleep(0.01)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(
        UserError,
        match=f"{out}: process {first.pid} on {socket.gethostname()}, since 20..-..-..T.*, is training in this folder",
    ):
        train(recipes.load(texts["graph"].replace("steps: 60", "steps: 2")), out, resume)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    first.kill()
    first.join()
    with hold(out):
        assert json.loads((out / HOLDER).read_text())["pid"] == os.getpid()
    assert (out / LOCK).exists() and not (out / HOLDER).exists()


def asleep(out: Path) -> None:
    out.mkdir(exist_ok=True)
    with hold(out):
        time.sleep(100)


def test_a_second_world_ends_together_and_says_so_once(texts, train_in_world, tmp_path):
    (tmp_path / "run").mkdir()
    with hold(tmp_path / "run"):
        codes, words = train_in_world(2, texts["graph"], tmp_path / "run")
    assert (
        codes == [2, 2]
        and f"error: {tmp_path / 'run'}: process {os.getpid()} on " in words[0]
        and "error" not in words[1]
    )


def test_fewer_structures_than_processes_are_refused(texts, train_in_world, tmp_path):
    codes, words = train_in_world(2, texts["graph"].replace("batch: {size: 32}", "batch: {size: 1}"), tmp_path / "run")
    assert (
        codes == [2, 2]
        and "training.batch.size: expected at least 2, one structure for each process, got 1" in words[0]
    )
    assert not (tmp_path / "run").exists()
