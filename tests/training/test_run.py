"""From a recipe to a run folder, with the real parts at a small size."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal

import pytest
import torch

from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline
from symdiff.storage import sealed
from symdiff.training import loop, processes, run, samples
from symdiff.training.resumption import compare
from symdiff.training.run import compile_networks, train

RECIPE = """
name: tiny
data: {dataset: small-molecules}
denoiser: {kind: NodeTransformer, width: 32, layers: 1, heads: 2}
process: {kind: Flow}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 4}}
training: {steps: 12, batch: {size: 32}, optimizer: {warmup: 2}, save: {every: 4},
  sample: {every: 6, count: 8}, log: {every: 3}}
sampling: {steps: 3}
"""


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of our own, so that no other test and no user is touched."""
    before = os.environ.get("SYMDIFF_CACHE")
    os.environ["SYMDIFF_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SYMDIFF_CACHE"]
    else:
        os.environ["SYMDIFF_CACHE"] = before


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache):
    out = tmp_path_factory.mktemp("runs") / "tiny"
    train(recipes.load(RECIPE), out)
    return out


def test_a_run_leaves_its_recipe_log_states_checkpoint_and_summary(trained):
    assert {p.name for p in trained.iterdir()} == {
        "recipe.yaml",
        "log.jsonl",
        "state",
        "checkpoint",
        "summary.json",
        ".lock",
    }
    assert recipes.load(trained / "recipe.yaml").model_dump() == recipes.load(RECIPE).model_dump()
    summary = json.loads((trained / "summary.json").read_text())
    assert (summary["steps"], summary["samples"], summary["precision"]) == (12, 384, "bf16")
    log = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    assert [(r["kind"], r["step"]) for r in log] == [
        ("train", 3), ("train", 6), ("sample", 6), ("train", 9), ("train", 12), ("sample", 12),
    ]  # fmt: skip
    assert all(0 <= r["validity"] <= 1 and len(r["examples"]) == 8 for r in log if r["kind"] == "sample")


def test_the_checkpoint_holds_the_averaged_weights(trained):
    pipeline = Pipeline.load(trained / "checkpoint")
    average = loop.Checkpoints(trained / "state").latest()[0].tensors["average"]
    found = dict(pipeline.diffusion.named_parameters())
    assert found.keys() == average.keys()
    assert all(torch.equal(found[name].detach(), average[name]) for name in found)
    assert len(pipeline.sample(4, 2)) == 4


def test_a_killed_run_resumes_to_the_same_bits(trained, tmp_path, monkeypatch):
    out = tmp_path / "run"
    whole = (trained / "checkpoint" / "SHA256SUMS").read_bytes()
    advance = loop.Trainer._advance

    def terminated(self, interruption):
        if self.step == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        advance(self, interruption)

    monkeypatch.setattr(loop.Trainer, "_advance", terminated)
    with pytest.raises(SystemExit) as stopped:
        train(recipes.load(RECIPE), out)
    monkeypatch.setattr(loop.Trainer, "_advance", advance)
    assert stopped.value.code == 143 and not (out / "checkpoint").exists()
    assert loop.Checkpoints(out / "state").steps()[-1] == 7
    train(recipes.set(recipes.load(RECIPE), "training/save/every=5"), out, resume=True)
    sums = dict(line.split()[::-1] for line in (out / "checkpoint" / "SHA256SUMS").read_text().splitlines())
    before = dict(line.split()[::-1] for line in whole.decode().splitlines())
    assert {k: v for k, v in sums.items() if k != "recipe.yaml"} == {
        k: v for k, v in before.items() if k != "recipe.yaml"
    }


def test_a_run_of_before_is_resumed(trained, tmp_path):
    """Its recipe has the keys of then, and its states say less."""
    out = tmp_path / "run"
    shutil.copytree(trained, out, ignore=shutil.ignore_patterns("checkpoint", "summary.json", "step-00000012"))
    # the lines of the training, which may be several, are left out
    lines = re.sub(r"^training:.*?(?=^\w|\Z)", "", RECIPE, flags=re.MULTILINE | re.DOTALL).splitlines()
    earlier = (
        "training: {steps: 12, batch_size: 32, warmup: 2, save_every: 4, "
        "sample_every: 6, sample_count: 8, log_every: 3}"
    )
    (out / "recipe.yaml").write_text("\n".join([*lines, earlier]))
    (state,) = (out / "state").iterdir()
    record = json.loads((state / "state.json").read_text())
    (state / "state.json").write_text(
        json.dumps({key: record[key] for key in ("step", "losses", "skipped", "seconds", "data")})
    )
    (state / sealed.SUMS).unlink()
    sealed.sign(state)
    train(recipes.load(out / "recipe.yaml", earlier_keys=True), out, resume=True)
    assert (out / "recipe.yaml").read_text() == (trained / "recipe.yaml").read_text()
    assert (out / "checkpoint" / "SHA256SUMS").read_bytes() == (trained / "checkpoint" / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize(
    "change", ["training/steps=13", "training/seed=1", "denoiser/width=64", "training/batch/size=31"]
)
def test_a_changed_recipe_is_refused_by_the_name_of_the_key(trained, change):
    with pytest.raises(UserError, match=change.split("=")[0].replace("/", r"\.")):
        train(recipes.set(recipes.load(RECIPE), change), trained, resume=True)


def test_a_run_is_not_overwritten_and_none_is_resumed_from_nothing(trained, tmp_path):
    with pytest.raises(UserError, match="--resume"):
        train(recipes.load(RECIPE), trained)
    with pytest.raises(UserError, match="no training run to resume"):
        train(recipes.load(RECIPE), tmp_path, resume=True)


def test_other_data_are_not_resumed(trained, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    structures = open_dataset("small-molecules")
    trainer = loop.Trainer(torch.nn.Linear(1, 1), structures, recipes.load(RECIPE).training, out, data="other")
    with pytest.raises(UserError, match="the data are not those"):
        trainer.run(resume=True)


@pytest.mark.slow
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    "key", ["denoiser/widht=3", "data/dataset=nothing-of-that-name", "breaker/code/nodes=2", "training/start=nowhere"]
)
def test_a_run_that_cannot_start_leaves_nothing(tmp_path, key, there):
    """Neither the folder nor those above it that it made; what was there stays."""
    out = tmp_path / "runs" / "one"
    if there:
        out.mkdir(parents=True)
        (out / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError):
        train(recipes.set(recipes.load(RECIPE), key), out)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, UserError])
def test_a_run_that_ends_in_its_first_step_leaves_nothing(tmp_path, monkeypatch, error):
    def fail(self, interruption):
        assert (tmp_path / "run" / "recipe.yaml").exists()
        raise error("no memory")

    monkeypatch.setattr(loop.Trainer, "_advance", fail)
    with pytest.raises(error):
        train(recipes.load(RECIPE), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file/run: the folder cannot be made"):
        train(recipes.load(RECIPE), tmp_path / "file" / "run")


def test_compiling_without_a_compiler_is_told(monkeypatch):
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="C\\+\\+ compiler"):
        compile_networks(torch.nn.Linear(1, 1))


def test_a_missing_tracker_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "is_tensorboard_available", lambda: False)
    with pytest.raises(UserError, match="tensorboard is not installed"):
        train(recipes.set(recipes.load(RECIPE), "training/log/tracker=tensorboard"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_rdkit_the_log_says_why_there_is_no_validity(trained, monkeypatch):
    pipeline = Pipeline.load(trained / "checkpoint")
    state = pipeline.sample(4, 2).state()
    assert samples.judge(pipeline.domain, state)["count"] == 4
    monkeypatch.setattr(samples.importlib.util, "find_spec", lambda name: None)
    assert samples.judge(pipeline.domain, state).keys() == {"count", "undecided"}


@pytest.mark.slow
@pytest.mark.parametrize("rate", [10, 1])
def test_a_diverged_training_ends_with_code_3_and_the_last_good_state(tmp_path, rate, capfd):
    """Without a good state there is no checkpoint; with one, the checkpoint is that state's."""
    text = (
        RECIPE.replace("steps: 12", "steps: 60")
        .replace("warmup: 2", f"warmup: 2, learning_rate: {rate}")
        .replace("save: {every: 4}", "save: {every: 10}")
    )
    with pytest.raises(SystemExit) as end:
        train(recipes.load(text), tmp_path / "run")
    said = capfd.readouterr().err.splitlines()
    assert end.value.code == 3 and not (tmp_path / "run" / "checkpoint").exists()
    assert (
        said[-1].startswith(f"error: {tmp_path / 'run'}: the training diverged: the loss is ")
        and "no state was good" in said[-1]
    )
    assert any("warning: diverging: the loss is" in line for line in said[:-1])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["diverged"] is True


def test_the_checkpoint_of_a_diverged_training_is_the_last_good_one(trained, tmp_path, monkeypatch, capfd):
    out, check = tmp_path / "run", loop.Divergence.check
    monkeypatch.setattr(loop.Divergence, "check", lambda self, loss: int(self.now) > 8)
    monkeypatch.setattr(loop.Divergence, "now", torch.zeros(()), raising=False)
    observe = loop.Divergence.observe
    monkeypatch.setattr(
        loop.Divergence, "observe", lambda self, step, loss: (self.now.fill_(step + 1), observe(self, step, loss))
    )
    with pytest.raises(SystemExit) as end:
        train(recipes.load(RECIPE.replace("steps: 12", "steps: 24")), out)
    monkeypatch.setattr(loop.Divergence, "check", check)
    assert end.value.code == 3 and "is of the last good state, step 8; try" in capfd.readouterr().err
    states = loop.Checkpoints(out / "state")
    assert states.steps() == [8, 20, 24]
    average, found = (
        states.at(8).tensors["average"],
        dict(Pipeline.load(out / "checkpoint").diffusion.named_parameters()),
    )
    assert all(torch.equal(found[name].detach(), tensor) for name, tensor in average.items())


def test_nothing_is_left_to_do_for_a_run_that_is_finished(trained):
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    outcome = train(recipes.load(RECIPE), trained, resume=True)
    assert outcome.begin == outcome.steps == 12
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_compare_names_the_keys():
    assert compare({"a": {"b": 1, "c": 2}, "d": 1}, {"a": {"b": 1, "c": 3}, "e": 1}) == ["a.c", "d", "e"]


def test_training_may_start_from_a_checkpoint(trained, tmp_path):
    """With a learning rate of almost nothing the weights are still those of the checkpoint; the process may differ."""
    from symdiff.pipeline import SymdiffPipeline

    text = RECIPE.replace("steps: 12", f"start: {trained / 'checkpoint'}, steps: 2").replace(
        "warmup: 2", "learning_rate: 1.0e-12, weight_decay: 0"
    )
    train(recipes.load(text.replace("kind: Flow", "kind: Flow, prior: uniform")), tmp_path / "on")
    before, after = (
        SymdiffPipeline.load(folder / "checkpoint").breaker.state_dict() for folder in (trained, tmp_path / "on")
    )
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    with pytest.raises(UserError, match="training.start: .*its denoiser does not fit the recipe: size mismatch"):
        train(recipes.load(text.replace("width: 32", "width: 16")), tmp_path / "other")
    with pytest.raises(UserError, match="no such folder and no bundled checkpoint"):
        train(recipes.load(RECIPE.replace("steps: 12", "start: nowhere, steps: 2")), tmp_path / "nowhere")
