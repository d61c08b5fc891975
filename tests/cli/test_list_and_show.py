"""What comes with the package is listed with a line of help each, and a checkpoint says what it is."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from symdiff.cli.listing import KINDS
from symdiff.cli.main import app
from symdiff.storage import bundled


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_listed_has_a_line_of_help(kind):
    done = run("list", kind, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    entries = json.loads(done.stdout)[kind]
    assert entries and all(entry["name"] and entry["about"] and "\n" not in entry["about"] for entry in entries)
    text = run("list", kind).stdout
    assert len(text.splitlines()) == len(entries) and all(entry["name"] in text for entry in entries)


def test_all_kinds_are_listed_without_a_name():
    text = run("list").stdout
    assert all(f"{kind}:\n" in text for kind in KINDS)
    assert {"recipes", "checkpoints"} <= {*json.loads(run("list", "--json").stdout)}


def test_an_unknown_kind_names_the_nearest():
    done = run("list", "recipe")
    assert done.exit_code == 2 and "got 'recipe' (did you mean 'recipes'?)" in done.stderr


def test_a_description_is_the_first_sentence(tmp_path):
    recipe, checkpoint = tmp_path / "a.yaml", tmp_path / "a"
    recipe.write_text("# A recipe of e.g. three\n# lines. And more.\nname: a\n")
    assert bundled.describe(recipe) == "A recipe of e.g. three lines"
    checkpoint.mkdir()
    assert bundled.describe(checkpoint) == ""
    (checkpoint / "README.md").write_text("---\nlicense: x\n---\n# a\n\nThe [b](c/d.md) of\ne. F.\n\nG.\n")
    assert bundled.describe(checkpoint) == "The b of e"


def test_show_counts_the_weights_that_the_model_has():
    import torch

    from symdiff.pipeline import Pipeline

    values = json.loads(run("show", "qm9-graph", "--json").stdout)
    pipeline = Pipeline.load("qm9-graph")
    for name in pipeline.names:
        part = getattr(pipeline, name)
        tensors = part.state_dict().values() if isinstance(part, torch.nn.Module) else ()
        assert values["parts"][name] == {"class": type(part).__name__, "weights": sum(t.numel() for t in tensors)}
    assert values["dataset"] == "qm9" and values["steps"] == pipeline.default_steps
    assert values["options"] == dict(pipeline.domain.options.help) and values["card"].startswith("# qm9-graph")
    assert values["figures"]["validity.strict"]["value"] > 0.98
    text = run("show", "qm9-graph").stdout
    assert "validity.strict" in text and values["card"].rstrip() in text


@pytest.mark.parametrize("name", bundled.checkpoints())
def test_every_bundled_checkpoint_is_shown(name):
    done = run("show", name)
    assert done.exit_code == 0 and "domain: kind " in done.stdout


def test_show_refuses_what_is_no_checkpoint(tmp_path):
    done = run("show", tmp_path)
    assert done.exit_code == 2 and done.stderr.count("\n") == 1
    assert "did you mean 'qm9-graph'" in run("show", "qm9-grap").stderr


def test_names_are_completed():
    from symdiff.cli.names import checkpoints, recipes

    assert checkpoints("qm9-3d") == ["qm9-3d", "qm9-3d-alpha"] and "tiny" in recipes("ti") and not recipes("nothing")
    done = CliRunner().invoke(
        app,
        prog_name="symdiff",
        env={"_SYMDIFF_COMPLETE": "complete_bash", "COMP_WORDS": "symdiff sample qm9-3d-", "COMP_CWORD": "2"},
    )
    assert done.stdout.split() == ["qm9-3d-alpha"]
