"""The command line: what its verbs print, and how users' mistakes end."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app

RECIPE = """\
name: tiny
data: {dataset: small-molecules}
denoiser: {kind: NodeTransformer, width: 16, layers: 1, heads: 2}
process: {kind: Flow}
breaker: {kind: SymPE, canonicalizer: {kind: Stored}, code: {kind: NodeCode, nodes: 9, dim: 4}}
training: {steps: 4, batch: {size: 16}, optimizer: {warmup: 1}, compute: {precision: fp32},
  save: {every: 2}, sample: {every: 4, count: 8}, log: {every: 1}}
sampling: {steps: 3}
"""


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def fails(*words: object) -> str:
    """The one line on stderr of a command that must fail as a user's mistake."""
    done = run(*words)
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.stdout == "" and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a recipe, and a run of it; the caches are there as well."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMDIFF_CACHE", str(folder / "cache"))
        done = run("train", folder / "tiny.yaml", "--out", folder / "run", "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    (folder / "trained.json").write_text(done.stdout)
    return folder


def test_help_lists_the_verbs():
    text = run("--help").stdout
    assert all(f"  {verb} " in text for verb in ("train", "sample", "evaluate", "data", "demo", "doctor"))


def test_version():
    from symdiff import __version__

    assert run("--version").stdout == f"symdiff {__version__}\n"


# train


def test_train_leaves_a_checkpoint_and_one_json_object(place):
    values = json.loads((place / "trained.json").read_text())
    assert (
        values["steps"] == 4 and values["samples"] == 64 and values["checkpoint"] == str(place / "run" / "checkpoint")
    )
    assert (place / "run" / "checkpoint" / "model_index.json").is_file()


def test_resume_needs_no_recipe(place, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(place / "cache"))
    done = run("train", "--resume", place / "run")
    assert done.exit_code == 0 and "nothing was left to do, all " in done.stdout
    done = run("train", "--resume", place / "run", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["steps"] == 4


def test_train_mistakes(place, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(place / "cache"))
    recipe, out = place / "tiny.yaml", tmp_path / "run"
    assert "no bundled recipe of that name" in fails("train", "nowhere.yaml", "--out", out)
    assert "expected a recipe file" in fails("train")
    assert "training.stpes: unknown key (did you mean 'steps'?)" in fails(
        "train", recipe, "--out", out, "--set", "training/stpes=1"
    )
    assert "denoiser.widht" in fails("train", recipe, "--out", out, "--set", "denoiser/widht=1")
    assert "heads" in fails("train", recipe, "--out", out, "--set", "denoiser/heads=3")
    assert "no training run to resume" in fails("train", "--resume", out)
    assert "a resumed run stays in its folder" in fails("train", recipe, "--out", out, "--resume", place / "run")
    assert "a training run is there already" in fails("train", recipe, "--out", place / "run")
    assert "differs" in fails("train", "--resume", place / "run", "--set", "denoiser/width=32")
    assert "small-molecules" in fails("train", recipe, "--out", out, "--set", "data/dataset=small-molecule")
    assert not out.exists(), "a mistake writes nothing"


# sample


def test_sample_writes_the_same_file_for_the_same_seed(place, tmp_path):
    for name, extra in (("a", ()), ("b", ("--batch-size", 40)), ("c", ("--seed", 1))):
        done = run(
            "sample", place / "run" / "checkpoint", "--count", 50, "--out", tmp_path / f"{name}.smi", "--json", *extra
        )
        assert done.exit_code == 0, (done.output, done.exception)
        values = json.loads(done.stdout)
        assert values["count"] == 50 and values["steps"] == 3 and values["per_second"] > 0
    first, second, third = ((tmp_path / f"{name}.smi").read_text() for name in "abc")
    assert first == second != third and first.count("\n") == 50


def test_sample_keeps_the_asked_sizes(place, tmp_path):
    from rdkit import Chem

    run(
        "sample",
        place / "run" / "checkpoint",
        "--count",
        30,
        "--out",
        tmp_path / "x.smi",
        "--num-nodes",
        "2-3",
        "--precision",
        "bf16",
    )
    mols = [Chem.MolFromSmiles(line, sanitize=False) for line in (tmp_path / "x.smi").read_text().split()]
    assert {mol.GetNumAtoms() for mol in mols} == {2, 3}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--count", 0), "--count"),
        (("--count", "many"), "--count"),
        (("--steps", 0), "--steps"),
        (("--num-nodes", "x"), "--num-nodes: expected a number (9) or bounds (5-9), got 'x'"),
        (("--num-nodes", "7-9"), "the training data have"),
        (("--num-nodes", 12), "the code has 9 nodes"),
        (("--batch-size", "all"), "--batch-size: expected auto or a number of at least 1, got 'all'"),
        (("--device", "gpu"), "--device gpu: "),
        (("--precision", "fp8"), "precision: expected 'fp32' or 'bf16', got 'fp8'"),
        (("--out", "x.docx"), "x.docx"),
        (("--cuont", 3), "--cuont"),
    ],
)
def test_sample_mistakes(extra, message, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in fails("sample", place / "run" / "checkpoint", "--count", 3, "--out", "x.smi", *extra)
    assert list(tmp_path.iterdir()) == [], "a mistake writes nothing"


def test_sample_from_nowhere(tmp_path):
    assert "no bundled checkpoint of that name" in fails("sample", "nowhere", "--count", 3, "--out", tmp_path / "x.smi")
    assert "Missing option '--out'" in fails("sample", "nowhere", "--count", 3)


def test_sample_into_a_folder(place, tmp_path):
    assert "expected a file, got a folder" in fails(
        "sample", place / "run" / "checkpoint", "--count", 3, "--out", tmp_path
    )


# demo


@pytest.mark.slow
def test_demo_leaves_molecules_a_picture_and_a_report(place, tmp_path, monkeypatch):
    from symdiff.cli import demo

    def valid(samples, path, draw=demo.draw):
        from rdkit import Chem

        class Ethanol:
            def objects(self):
                return [Chem.MolFromSmiles("CCO")] * 3

        return draw(Ethanol(), path)

    monkeypatch.setattr(demo, "draw", valid)
    out = tmp_path / "demo"
    done = run("demo", "--out", out, "--count", 20, "--checkpoint", place / "run" / "checkpoint", "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    values = json.loads(done.stdout)
    assert values["count"] == 20 and "validity.strict" in values["metrics"]
    assert (out / "molecules.smi").read_text().count("\n") == 20
    assert (out / "molecules.png").read_bytes().startswith(b"\x89PNG")
    assert "<html" in (out / "report" / "report.html").read_text()[:200]


def test_nothing_is_drawn_when_nothing_is_valid(tmp_path):
    from rdkit import Chem

    from symdiff.cli.demo import draw

    class Broken:
        def objects(self):
            return [Chem.MolFromSmiles("F=F", sanitize=False), Chem.MolFromSmiles("C.C")]

    assert draw(Broken(), tmp_path / "x.png") == 0 and not (tmp_path / "x.png").exists()


# doctor


def test_doctor_tells_versions_and_devices():
    done = run("doctor", "--json")
    values = json.loads(done.stdout)
    assert done.exit_code == 0 and values["problems"] == []
    assert values["packages"]["torch"] and values["devices"][0] == "cpu" and values["bf16_speedup"] > 0


def test_doctor_recognizes_the_other_package_of_that_name(tmp_path, monkeypatch):
    folder = tmp_path / "symdiff-1.4.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: symdiff\nVersion: 1.4\n")
    assert PathDistribution(folder).metadata["Name"] == "symdiff"
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    done = run("doctor")
    assert done.exit_code == 1 and "problem: the distribution 'symdiff' is installed" in done.stdout
    assert "pip uninstall symdiff" in done.stdout and "symdiff-torch" in done.stdout


def test_nothing_ever_tells_to_install_the_wrong_package():
    root = Path(__file__).resolve().parents[2]
    wrong = "pip install " + "symdiff"
    for path in [
        *root.glob("symdiff/**/*.py"),
        *root.glob("evaluation/**/*.py"),
        *root.glob("*.md"),
        *root.glob("recipes/**/*.yaml"),
    ]:
        assert wrong not in path.read_text(encoding="utf-8").replace(wrong + "-torch", ""), path


# mistakes in general


def test_an_unknown_verb_tells_the_nearest():
    assert "Did you mean 'train'" in fails("trian")


def test_no_verb_is_a_mistake():
    fails()


def test_a_bug_keeps_its_traceback(monkeypatch):
    import symdiff.config.recipe

    def broken(_):
        raise KeyError("bug")

    monkeypatch.setattr(symdiff.config.recipe, "load", broken)
    assert isinstance(run("train", "tiny").exception, KeyError)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stpes", "5"], "--stpes: no such option of {0} (did you mean 'steps'?)"),
        (["--temperature=2"], "--temperature: no such option"),
        (["--loud"], "--loud: expected a value behind it"),
        (["more"], "unexpected argument 'more'"),
    ],
)
def test_an_option_that_no_model_has_is_one_line(place, tmp_path, words, told):
    checkpoint, out = place / "run" / "checkpoint", tmp_path / "x.smi"
    assert fails("sample", checkpoint, "--count", 2, "--out", out, *words).startswith(
        f"error: {told.format(checkpoint)}"
    )
    assert not out.exists()


# lattices

SPINS = """
name: spins
data: {dataset: ising-4}
denoiser: {kind: LatticeConvolution, width: 16, layers: 1}
process: {kind: Masked, evenly: true}
breaker:
  kind: SymPE
  canonicalizer:
    kind: Sites
    fields: [spin]
    group: {kind: Product, groups: [{kind: Space},
      {kind: Relabel, fields: [spin, sign], classes: 2, generators: [[1, 0]]}]}
  code: {kind: SiteCode}
training: {steps: 2, batch: {size: 8}, optimizer: {warmup: 1}, save: {every: 2}, log: {every: 1}}
sampling: {steps: 4}
"""


@pytest.fixture(scope="module")
def lattice(tmp_path_factory) -> Path:
    """A folder with a checkpoint of spins that was hardly trained."""
    from symdiff.data.sets.lattices import ising

    folder = tmp_path_factory.mktemp("lattice")
    ising(4, chains=32, rounds=4).save(folder / "ising-4")
    (folder / "spins.yaml").write_text(SPINS.replace("dataset: ising-4", f"dataset: {folder / 'ising-4'}"))
    done = run("train", folder / "spins.yaml", "--out", folder / "run", "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    return folder


@pytest.mark.slow
def test_spins_at_a_temperature_with_a_picture_and_numbers(lattice, tmp_path):
    done = run(
        "sample",
        lattice / "run" / "checkpoint",
        "--temperature",
        2.27,
        "--size",
        6,
        "--count",
        5,
        "--out",
        tmp_path / "s.npz",
        "--json",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["picture"] == str(tmp_path / "s.png") and (tmp_path / "s.png").stat().st_size > 1000
    spins = np.load(tmp_path / "s.npz")["spins"]
    assert spins.shape == (5, 6, 6) and set(np.unique(spins)) <= {-1, 1}
    done = run("evaluate", tmp_path / "s.npz", "--out", tmp_path / "report", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["energy_per_site"]["count"] == 5


@pytest.mark.slow
def test_spins_corrected_to_boltzmanns_law(tmp_path):
    """The chain holds nothing but the model's own samples, most of them, and the file says nothing else."""
    command = ("sample", "ising", "--temperature", 2.27, "--size", 8, "--count", 40, "--json")
    raw = run(*command, "--out", tmp_path / "raw.npz")
    done = run(*command, "--out", tmp_path / "s.npz", "--metropolis")
    assert raw.exit_code == done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (
        told["metropolis"] and 0.5 < told["effective_share"] <= 1 and json.loads(raw.stdout)["effective_share"] is None
    )
    proposed, taken = (np.load(tmp_path / name)["spins"] for name in ("raw.npz", "s.npz"))
    same = (proposed == taken).all((1, 2))
    assert 0.5 < same.mean() and all((one == proposed[: row + 1]).all((1, 2)).any() for row, one in enumerate(taken))


@pytest.mark.slow
def test_training_on_the_models_own_samples(lattice, tmp_path):
    command = (
        "train",
        lattice / "spins.yaml",
        "--set",
        "objective={kind: LogVariance, draws: 4}",
        "--out",
        tmp_path / "own",
    )
    assert "anchored in nothing" in fails(*command) and not (tmp_path / "own").exists()
    done = run(*command, "--set", "breaker={kind: Nothing}", "--set", "training/log/every=1", "--json")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (tmp_path / "own" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["kind"] == "train"]
    assert len(losses) == 2 and all(loss > 0 for loss in losses)
    assert (
        run(
            "sample",
            tmp_path / "own" / "checkpoint",
            "--temperature",
            2,
            "--size",
            4,
            "--count",
            2,
            "--out",
            tmp_path / "s.npz",
        ).exit_code
        == 0
    )


@pytest.mark.slow
def test_fixed_spins_stay(lattice, tmp_path):
    fixed = np.zeros((4, 4), np.int8)
    fixed[0], fixed[2] = 1, -1
    np.savez(tmp_path / "fixed.npz", spins=fixed)
    command = (
        "sample",
        lattice / "run" / "checkpoint",
        "--temperature",
        2,
        "--fixed",
        tmp_path / "fixed.npz",
        "--count",
        6,
    )
    assert run(*command, "--out", tmp_path / "s.npz").exit_code == 0
    spins = np.load(tmp_path / "s.npz")["spins"]
    assert (spins[:, fixed != 0] == fixed[fixed != 0]).all()
    run(*command, "--out", tmp_path / "again.npz")
    assert (np.load(tmp_path / "again.npz")["spins"] == spins).all()


GROUND = """
name: ground
data: {dataset: ground-4}
denoiser: {kind: LatticeConvolution, width: 16, layers: 1}
process: {kind: Masked, focus: 0.0}
breaker:
  kind: SymPE
  anchor: data
  canonicalizer:
    kind: Sites
    fields: [coupling, field, spin]
    group: {kind: Product, groups: [{kind: Space},
      {kind: Relabel, fields: [spin, field, sign], classes: 2, generators: [[1, 0]]}]}
  code: {kind: SiteCode}
training: {steps: 2, batch: {size: 8}, optimizer: {warmup: 1}, save: {every: 2}, log: {every: 1}}
sampling: {steps: 1}
"""


@pytest.mark.slow
def test_spins_of_a_hamiltonian_from_a_file(tmp_path):
    """A user's couplings and fields, from YAML, npz and options, stand beside the spins and are what evaluate reads."""
    from symdiff.data.sets.lattices import ground_states

    ground_states(4, 64).save(tmp_path / "ground-4")
    (tmp_path / "ground.yaml").write_text(GROUND.replace("dataset: ground-4", f"dataset: {tmp_path / 'ground-4'}"))
    assert run("train", tmp_path / "ground.yaml", "--out", tmp_path / "run").exit_code == 0
    command = ("sample", tmp_path / "run" / "checkpoint", "--count", 4)
    (tmp_path / "h.yaml").write_text("sides: [6, 6]\ncoupling: {law: signs, share: 0.5, seed: 1}\nfield: 0.25\n")
    done = run(*command, "--hamiltonian", tmp_path / "h.yaml", "--out", tmp_path / "a.npz")
    assert done.exit_code == 0, done.output
    found = np.load(tmp_path / "a.npz")
    assert (
        found["coupling"].shape == (4, 6, 6, 4)
        and set(np.unique(found["coupling"])) == {-1, 0, 1}
        and (found["field"] == 0.25).all()
    )
    np.savez(tmp_path / "h.npz", coupling=found["coupling"], field=found["field"])
    assert run(*command, "--hamiltonian", tmp_path / "h.npz", "--out", tmp_path / "b.npz").exit_code == 0
    assert (np.load(tmp_path / "b.npz")["spins"] == found["spins"]).all()
    assert run(*command, "--size", 4, "--coupling", "1,-1,0,0", "--out", tmp_path / "c.npz").exit_code == 0
    assert (np.load(tmp_path / "c.npz")["coupling"] == [1, -1, 0, 0]).all()
    done = run("evaluate", tmp_path / "a.npz", "--out", tmp_path / "report", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["ground.share"]["count"] == 4
    assert "says it already" in fails(
        *command, "--hamiltonian", tmp_path / "h.npz", "--size", 6, "--out", tmp_path / "d.npz"
    )
    np.savez(tmp_path / "nan.npz", coupling=np.full((6, 6, 2), np.nan))
    assert "coupling: expected finite numbers" in fails(
        *command, "--hamiltonian", tmp_path / "nan.npz", "--out", tmp_path / "d.npz"
    )


def test_lattice_mistakes(lattice, tmp_path):
    command = ("sample", lattice / "run" / "checkpoint", "--count", 1, "--out", tmp_path / "new" / "s.npz")
    assert "takes no field" in fails(*command, "--size", 4, "--temperature", 2, "--field", 1)
    assert "equal sides, got [4, 5]" in fails(*command, "--size", "4x5", "--temperature", 2)
    assert "needs one, got none" in fails(*command, "--size", 4)
    assert "did you mean 'temperature'" in fails(*command, "--temprature", 4)
    np.savez(tmp_path / "fixed.npz", spins=np.eye(4, dtype=np.int8))
    assert "nothing may be fixed" in fails(
        *command, "--temperature", 2, "--fixed", tmp_path / "fixed.npz", "--metropolis"
    )
    other = (*command[:-1], tmp_path / "new" / "s.csv")
    assert f"{tmp_path / 'new' / 's.csv'}: expected a file that ends in .npz, .png" in fails(
        *other, "--size", 4, "--temperature", 2
    )
    assert not (tmp_path / "new").exists()
