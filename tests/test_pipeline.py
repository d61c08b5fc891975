"""Checkpoints: written whole or not at all, read strictly, and the same samples after the way through a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from symdiff.config import recipe
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.pipeline import Pipeline, assemble
from symdiff.sampling.request import Request
from symdiff.storage import atomic, bundled, sealed

RECIPE = """\
name: small
data: {dataset: small-molecules}
denoiser: {kind: NodeTransformer, width: 16, layers: 1, heads: 2}
process: {kind: Flow}
breaker: {kind: SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 6, dim: 4}}
sampling: {steps: 3}
"""
MARGINALS = {"atom": [0.7, 0.1, 0.15, 0.05], "bond": [0.5, 0.3, 0.15, 0.05]}
SIZES = [0.0, 0.0, 0.0, 0.1, 0.2, 0.4, 0.3]


def make(text: str = RECIPE) -> Pipeline:
    torch.manual_seed(0)
    domain, chosen = MolecularGraph(["C", "N", "O", "F"]), recipe.load(text)
    return Pipeline.of(assemble(chosen, domain, MARGINALS), domain, SIZES, chosen)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return make()


@pytest.fixture(scope="module")
def saved(pipeline, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "small"
    pipeline.save(folder, card="# small\n", evaluation={"validity.strict": {"value": 0.5}})
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(saved, tmp_path / "copy")


def equal(one, other) -> bool:
    one, other = one.state(), other.state()
    return all(torch.equal(one[name], other[name]) for name in one.schema) and torch.equal(one.mask, other.mask)


def listed(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sealed.files(folder)}


def sign(folder: Path) -> None:
    """List the files anew, as somebody would who forges a checkpoint."""
    names = [path for path in sealed.files(folder) if path.name != "SHA256SUMS"]
    lines = [f"{sealed.sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def edit(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def retensor(path: Path, change) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


# a folder and back


def test_the_layout_is_that_of_diffusers(saved):
    assert set(listed(saved)) == {
        "model_index.json", "recipe.yaml", "README.md", "evaluation.json", "SHA256SUMS", "process/process_config.json",
        "denoiser/config.json", "denoiser/diffusion_pytorch_model.safetensors",
        "breaker/config.json", "breaker/diffusion_pytorch_model.safetensors",
    }  # fmt: skip
    index = json.loads((saved / "model_index.json").read_text())
    assert index["denoiser"][1] == "NodeTransformer" and index["domain"]["kind"] == "MolecularGraph"
    assert index["size_histogram"] == SIZES
    assert os.system(f"cd {saved} && sha256sum --check --quiet --strict SHA256SUMS") == 0


@pytest.mark.parametrize("load", [Pipeline.load, Pipeline.from_pretrained])
def test_a_loaded_pipeline_samples_the_same(load, pipeline, saved):
    again = load(saved)
    assert equal(again.sample(Request(20, seed=4)), pipeline.sample(Request(20, seed=4)))
    assert again.recipe == pipeline.recipe and again.domain.spec == pipeline.domain.spec and again.default_steps == 3


def test_half_the_space_keeps_eleven_bits(pipeline, tmp_path):
    pipeline.save(tmp_path / "half", half=True)
    again = Pipeline.load(tmp_path / "half").denoiser.state_dict()
    for name, value in pipeline.denoiser.state_dict().items():
        assert again[name].dtype == value.dtype
        torch.testing.assert_close(again[name], value, rtol=2**-11, atol=2**-24)
    assert any(not torch.equal(again[name], value) for name, value in pipeline.denoiser.state_dict().items())


def test_components_load_by_diffusers_alone(pipeline, saved):
    for name in ("denoiser", "breaker", "process"):
        part = getattr(pipeline, name)
        again = type(part).from_pretrained(saved / name)
        assert all(again.config[key] == value for key, value in part.config.items() if not key.startswith("_"))
        if isinstance(part, torch.nn.Module):
            assert all(torch.equal(tensor, again.state_dict()[key]) for key, tensor in part.state_dict().items())


def test_loading_leaves_the_random_numbers_alone(saved):
    torch.manual_seed(5)
    want = torch.rand(3)
    torch.manual_seed(5)
    Pipeline.load(saved)
    assert torch.equal(torch.rand(3), want)


def test_from_pretrained_converts_and_refuses_what_is_not_ours(saved):
    assert Pipeline.from_pretrained(saved, torch_dtype=torch.float64).denoiser.dtype == torch.float64
    with pytest.raises(TypeError):
        Pipeline.from_pretrained(saved, trust_remote_code=True)


def test_a_breaker_without_weights_is_saved_too(tmp_path):
    pipeline = make(RECIPE[: RECIPE.index("breaker")] + "breaker: {kind: Nothing}\n")
    pipeline.save(tmp_path / "x")
    assert equal(Pipeline.load(tmp_path / "x").sample(5, 2), pipeline.sample(5, 2))


def test_saving_again_replaces_the_checkpoint(pipeline, folder):
    pipeline.save(folder, card="# another\n")
    assert (folder / "README.md").read_text() == "# another\n" and not (folder / "evaluation.json").exists()
    Pipeline.load(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["copy"]


def test_saving_twice_gives_the_same_bytes(pipeline, tmp_path):
    for name in ("a", "b"):
        pipeline.save(tmp_path / name)
    assert listed(tmp_path / "a") == listed(tmp_path / "b")


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_nothing_else_is_overwritten(what, pipeline, saved, tmp_path):
    target = tmp_path / "target"
    if what == "file":
        target.write_text("mine")
    elif what == "folder":
        target.mkdir()
        (target / "thesis.txt").write_text("mine")
    else:
        target.symlink_to(saved)
    with pytest.raises(UserError, match="is no checkpoint folder, nothing was written"):
        pipeline.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


# a full disk


@pytest.fixture(params=["fsync", "limit", "rename"])
def failing(request, monkeypatch):
    """A context in which saving fails.

    At fsync, at the write itself (by the process' limit of file size), at the rename.
    """

    def fail(*_):
        raise OSError(28, "No space left on device")

    @contextmanager
    def context():
        if (
            request.param == "limit"
        ):  # for as short as can be: the limit holds for the file that the tests' output goes to as well
            resource = pytest.importorskip("resource", reason="no limits of file sizes on this system")
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
                signal.signal(signal.SIGXFSZ, before)
            return
        with monkeypatch.context() as patch:
            patch.setattr(*((os, "fsync") if request.param == "fsync" else (atomic, "put")), fail)
            yield

    return context


def test_a_full_disk_loses_nothing(pipeline, folder, failing):
    before = listed(folder)
    with pytest.raises(UserError) as caught, failing():
        pipeline.save(folder, card="# another\n")
    assert "cannot save the checkpoint" in str(caught.value) and "\n" not in str(caught.value)
    assert "the earlier checkpoint is untouched" in str(caught.value)
    assert listed(folder) == before and [path.name for path in folder.parent.iterdir()] == ["copy"]


def test_a_full_disk_leaves_nothing_half_written(pipeline, tmp_path, failing):
    with pytest.raises(UserError, match="nothing was written"), failing():
        pipeline.save(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


# damage

WEIGHTS = "denoiser/diffusion_pytorch_model.safetensors"


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {  # what is done to the folder, whether it is listed anew afterwards, what the message must say
    "missing file": (lambda f: (f / "breaker/config.json").unlink(), False, "breaker/config.json is missing"),
    "truncated weights": (lambda f: os.truncate(f / WEIGHTS, 1000), False, f"{WEIGHTS} was altered"),
    "truncated weights, listed": (lambda f: os.truncate(f / WEIGHTS, 1000), True, "not a whole safetensors file"),
    "flipped bit": (lambda f: _flip(f / WEIGHTS), False, f"{WEIGHTS} was altered"),
    "edited config": (lambda f: edit(f / "denoiser/config.json", width=32), False, "denoiser/config.json was altered"),
    "edited config, listed": (lambda f: edit(f / "denoiser/config.json", width=32), True, "needs"),
    "misspelt config, listed": (lambda f: edit(f / "denoiser/config.json", widht=32), True,
        "widht: NodeTransformer has no such setting (did you mean 'width'?)"),
    "no sums": (lambda f: (f / "SHA256SUMS").unlink(), False, "SHA256SUMS is missing or unreadable"),
    "sums cut short": (lambda f: os.truncate(f / "SHA256SUMS", 100), False,
        "SHA256SUMS has a line that is not allowed"),
    "extra file": (lambda f: (f / "notes.md").write_text("x"), False, "notes.md is not listed"),
    "extra tensor": (lambda f: retensor(f / WEIGHTS, lambda t: t.update(more=torch.ones(1))), True,
        "the tensor 'more' does not belong to NodeTransformer"),
    "missing tensor": (lambda f: retensor(f / WEIGHTS, lambda t: t.pop("norm.weight")), True,
        "the tensor 'norm.weight' is missing"),
    "wrong shape": (lambda f: retensor(f / WEIGHTS, lambda t: t.update({"norm.weight": torch.ones(7)})), True,
        "'norm.weight' needs (16,) float32, got (7,) float32"),
    "wrong type": (lambda f: retensor(f / WEIGHTS, lambda t: t.update({"norm.weight": torch.ones(16).long()})), True,
        "got (16,) int64"),
    "not a number": (lambda f: retensor(f / WEIGHTS, lambda t: t["norm.weight"].fill_(torch.nan)), True,
        "'norm.weight' has entries that are not finite"),
    "unknown class in the index": (lambda f: edit(f / "model_index.json",
        denoiser=["symdiff.denoisers.nodes", "NodeTransfomer"]), True,
        "got 'NodeTransfomer' (did you mean 'NodeTransformer'?)"),
    "foreign class in the index": (lambda f: edit(f / "model_index.json", denoiser=["os", "system"]), True,
        "expected the name of a Denoiser, got 'system'"),
    "foreign module in the index": (lambda f: edit(f / "model_index.json", denoiser=["evil", "NodeTransformer"]), True,
        "NodeTransformer is in symdiff.denoisers.nodes, got 'evil'"),
    "unknown class in a config": (lambda f: edit(f / "process/process_config.json", _class_name="Flows"), True,
        "model_index.json says Flow, got 'Flows'"),
    "nested class in a config": (lambda f: edit(f / "breaker/config.json", canonicalizer={"kind": "subprocess.Popen"}),
        True, "canonicalizer.kind: expected the name of a Canonicalizer"),
    "broken schema": (lambda f: edit(f / "denoiser/config.json", schema={"atom": {"kind": "Catégorie"}}), True,
        "denoiser/config.json"),
    "another pipeline": (lambda f: edit(f / "model_index.json", _class_name="StableDiffusionPipeline"), True,
        "expected a SymdiffPipeline"),
    "unknown domain": (lambda f: edit(f / "model_index.json", domain={"kind": "Molecule"}), True, "model_index.json"),
    "bad histogram": (lambda f: edit(f / "model_index.json", size_histogram=[0, 0]), True,
        "size_histogram: expected shares"),
    "index is no JSON": (lambda f: (f / "model_index.json").write_text("{"), True, "model_index.json: not JSON"),
    "index is a list": (lambda f: (f / "model_index.json").write_text("[]"), True, "expected a JSON object, got list"),
    "index is deep": (lambda f: (f / "model_index.json").write_text("[" * 100_000), True, "model_index.json: not JSON"),
    "pickled weights": (lambda f: (f / "denoiser/diffusion_pytorch_model.bin").write_bytes(b"\x80\x04."), True,
        "a line that is not allowed"),
    "code": (lambda f: (f / "denoiser/symdiff.denoisers.nodes.py").write_text("1/0"), True,
        "a line that is not allowed"),
    "link": (lambda f: ((f / "README.md").unlink(), (f / "README.md").symlink_to("/etc/passwd")), True,
        "README.md is a link"),
    "link to a folder": (lambda f: (shutil.move(f / "breaker", f.parent / "b"),
        (f / "breaker").symlink_to(f.parent / "b")), False, "breaker is a link"),
    "path that escapes": (lambda f: (f / "SHA256SUMS").write_text(f"{'0' * 64}  ../../etc/passwd.json\n"), False,
        "a line that is not allowed: "),
    "absolute path": (lambda f: (f / "SHA256SUMS").write_text(f"{'0' * 64}  /etc/passwd.json\n"), False,
        "a line that is not allowed: "),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("load", [Pipeline.load, Pipeline.from_pretrained])
def test_a_damaged_checkpoint_is_refused_in_one_line(damage, load, folder):
    harm, listed_anew, message = DAMAGES[damage]
    harm(folder)
    if listed_anew:
        sign(folder)
    with pytest.raises(UserError) as caught:
        load(folder)
    text = str(caught.value)
    assert message in text and str(folder) in text
    assert len(text) < 500 and "\n" not in text


# places


def test_a_checkpoint_that_is_nowhere(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such folder and no bundled checkpoint"):
        Pipeline.load("nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a checkpoint folder, got a file"):
        Pipeline.load(tmp_path / "file")


@pytest.mark.slow
def test_every_bundled_checkpoint_loads_and_is_small():
    for name, folder in bundled.checkpoints().items():
        assert sum(path.stat().st_size for path in sealed.files(folder)) <= 15_000_000, name
        pipeline = Pipeline.load(name)
        if "denoiser" not in pipeline.names:
            latents = torch.randn(3, pipeline.encoder.config["dim"])
            assert sum(len(samples.objects()) for samples in pipeline.decode(latents)) == 3, name
            continue
        options = {
            key: value
            for key, value in {"temperature": "2.0", "size": "4"}.items()
            if key in pipeline.domain.options.help
        }
        condition = pipeline.domain.options.read_condition(options) if pipeline.domain.conditions else None
        assert len(pipeline.sample(Request(3, condition=condition), 2)) == 3, name


# assembling


def test_a_part_that_cannot_be_built_names_its_key():
    with pytest.raises(UserError, match="recipe: denoiser: width must be a multiple of heads"):
        make(RECIPE.replace("heads: 2", "heads: 3"))


def test_the_pair_that_is_not_exact_is_refused_with_the_reason():
    text = RECIPE.replace("canonicalizer", "anchor: prior, canonicalizer").replace(
        "kind: Flow", "kind: Flow, stochasticity: 1.0"
    )
    with pytest.raises(UserError, match="recipe: SymPE anchored in the prior sample needs steps that transport it"):
        make(text)
