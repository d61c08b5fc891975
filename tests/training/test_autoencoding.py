"""From the recipe of an autoencoder to a checkpoint, and from that to a diffusion of its latents."""

from __future__ import annotations

import json
import os

import pytest
import torch
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.config import recipe as recipes
from symdiff.data.registry import open_dataset
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline, check_parts
from symdiff.random import Streams
from symdiff.testing import difference
from symdiff.training.run import train

pytestmark = pytest.mark.slow

AUTOENCODER = """
name: tiny-autoencoder
data: {dataset: small-molecules, order: smiles}
encoder: {kind: NetworkEncoder, dim: 8, network: {kind: NodeTransformer, width: 32, layers: 1, heads: 2}}
decoder: {kind: NetworkDecoder, nodes: 5, network: {kind: NodeTransformer, width: 32, layers: 1, heads: 2}}
breaker: {kind: SymPE, anchor: data, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 5, dim: 4}}
training: {steps: 60, batch: {size: 64}, optimizer: {warmup: 5, learning_rate: 5.0e-3}, save: {every: 20},
  average: {decay: 0.9}, sample: {every: 30, count: 64}, log: {every: 10}}
"""
LATENT = """
name: tiny-latent
data: {dataset: small-molecules, order: smiles}
autoencoder: AUTOENCODER
denoiser: {kind: ResidualMLP, width: 32, layers: 2}
process: {kind: Gaussian, schedule: {kind: FlowMatchEulerDiscrete}, weighting: edm}
training: {steps: 12, batch: {size: 64}, optimizer: {warmup: 2}, save: {every: 6},
  sample: {every: 6, count: 16}, log: {every: 3}}
sampling: {steps: 4}
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
def encoded(tmp_path_factory, cache):
    out = tmp_path_factory.mktemp("runs") / "autoencoder"
    train(recipes.load(AUTOENCODER), out)
    return out


@pytest.fixture(scope="module")
def latent(tmp_path_factory, encoded):
    out = tmp_path_factory.mktemp("runs") / "latent"
    train(recipes.load(LATENT.replace("AUTOENCODER", str(encoded / "checkpoint"))), out)
    return out


def log(out, kind: str) -> list[dict]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def test_an_autoencoder_is_trained_and_saved(encoded):
    losses = [line["loss"] for line in log(encoded, "train")]
    assert losses[-1] < 0.75 * losses[0]
    looks = log(encoded, "sample")
    assert [look["step"] for look in looks] == [30, 60] and all(0 <= look["exact"] <= 1 for look in looks)
    pipeline = Pipeline.load(encoded / "checkpoint")
    assert set(pipeline.names) == {"encoder", "decoder", "breaker"} and pipeline.recipe is not None
    with pytest.raises(UserError, match="this checkpoint is an autoencoder"):
        pipeline.sample(3)


def test_what_is_saved_encodes_and_decodes_as_what_was_in_memory(encoded, tmp_path):
    pipeline = Pipeline.load(encoded / "checkpoint")
    x = open_dataset("small-molecules", "smiles").split("train").batch(range(16))
    latents = pipeline.autoencoder.encode(x)
    pipeline.save(tmp_path / "again")
    again = Pipeline.load(tmp_path / "again")
    assert difference(again.autoencoder.encode(x), latents) == 0
    decoded = [each.autoencoder.decode(latents, Streams(0, torch.arange(16))) for each in (pipeline, again)]
    assert difference(*decoded) == 0


def test_latents_are_diffused_and_decoded(latent, tmp_path):
    pipeline = Pipeline.load(latent / "checkpoint")
    assert set(pipeline.names) == {"encoder", "decoder", "breaker", "denoiser", "process"}
    samples = pipeline.sample(40, 4)
    assert len(samples.objects()) == 40 and samples.state().num_nodes.max() <= 5
    assert difference(samples.state(), pipeline.sample(40, 4, batch_size=32).state()) == 0
    assert sum(map(len, pipeline.stream(40, 4))) == 40
    assert log(latent, "sample")[-1]["count"] == 16
    pipeline.save(tmp_path / "again")
    assert difference(Pipeline.load(tmp_path / "again").sample(40, 4).state(), samples.state()) == 0
    with pytest.raises(UserError, match="num_nodes: a diffusion of latents takes none"):
        from symdiff.sampling import Request

        pipeline.sample(Request(3, 4))


def test_a_diffusion_of_latents_samples_without_the_encoder(latent, tmp_path):
    whole = Pipeline.load(latent / "checkpoint")
    parts = {name: getattr(whole, name) for name in whole.names if name != "encoder"}
    Pipeline(whole.config["domain"], whole.config["size_histogram"], **parts).save(tmp_path / "small")
    small = Pipeline.load(tmp_path / "small")
    assert difference(small.sample(40, 4).state(), whole.sample(40, 4).state()) == 0
    with pytest.raises(UserError, match="this checkpoint has no encoder"):
        small.encode(open_dataset("small-molecules", "smiles").split("valid"))
    del parts["denoiser"], parts["process"]
    with pytest.raises(UserError, match="the component encoder is missing"):
        Pipeline(whole.config["domain"], whole.config["size_histogram"], **parts)


def test_the_command_line_samples_by_way_of_latents(latent, tmp_path):
    def run(*options: str):
        out = str(tmp_path / "a.smi")
        words = ["sample", str(latent / "checkpoint"), "--count", "40", "--seed", "0", "--out", out, *options]
        return CliRunner().invoke(app, words)

    done = run("--steps", "4")
    assert done.exit_code == 0, done.output
    pipeline = Pipeline.load(latent / "checkpoint")
    pipeline.sample(40, 4).write(tmp_path / "b.smi")
    assert (tmp_path / "a.smi").read_bytes() == (tmp_path / "b.smi").read_bytes()
    for option, reason in (
        (["--metropolis"], "not known by way of its latent"),
        (["--particles", "2"], "no fragment is fixed"),
        (["--num-nodes", "3"], "a diffusion of latents takes none"),
    ):
        refused = run(*option)
        assert isinstance(refused.exception, UserError) or refused.exit_code == 2, refused.output
        assert reason in f"{refused.output}{refused.exception}"


def test_a_killed_training_of_latents_goes_on_to_the_same_weights(latent, encoded, tmp_path):
    recipe = recipes.load(LATENT.replace("AUTOENCODER", str(encoded / "checkpoint")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symdiff.training.loop.Trainer._record", stop_after(6))
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "run")
    train(recipe, tmp_path / "run", resume=True)
    for name in ("denoiser", "decoder"):
        file = f"checkpoint/{name}/diffusion_pytorch_model.safetensors"
        assert (tmp_path / "run" / file).read_bytes() == (latent / file).read_bytes()


def stop_after(step: int):
    from symdiff.training.loop import Trainer

    record = Trainer._record

    def stop(self, saved: int) -> int:
        saved = record(self, saved)
        if self.step == step:
            raise KeyboardInterrupt
        return saved

    return stop


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (AUTOENCODER, ("decoder: {kind", "# {kind"), "decoder: this key is missing"),
        (AUTOENCODER, ("breaker:", "process: {kind: Flow}\nbreaker:"), "process: an autoencoder has none"),
        (LATENT, ("training:", "breaker: {kind: Noise}\ntraining:"), "breaker: the autoencoder has its own"),
        (LATENT, ("process:", "proces:"), "proces: unknown key"),
        (AUTOENCODER, ("dim: 8", "dim: 0"), "encoder.dim: expected at least 1"),
        (AUTOENCODER, ("dim: 8, network", "dim: 8, per: bond, network"), "encoder.per: expected 'structure' or 'node'"),
        (AUTOENCODER, ("nodes: 5, network", "network"), "decoder.nodes: NetworkDecoder needs this setting"),
    ],
)
def test_a_recipe_that_does_not_fit_is_one_line(text, change, message):
    assert change[0] in text
    with pytest.raises(UserError, match=message):
        check_parts(recipes.load(text.replace(*change)))


def test_a_checkpoint_without_latents_cannot_be_diffused(encoded, tmp_path):
    text = LATENT.replace("AUTOENCODER", "qm9-graph")
    with pytest.raises(UserError, match="autoencoder: qm9-graph was trained on"):
        train(recipes.load(text), tmp_path / "run")
    assert not (tmp_path / "run").exists()
