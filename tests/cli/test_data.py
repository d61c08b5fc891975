"""``symdiff data`` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app

GOOD = ["C", "CC", "CCO", "C#N", "c1ccncc1", "FC=O", "C[O]"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYMDIFF_DATA", raising=False)


def run(*arguments):
    return CliRunner().invoke(app, ["data", *(str(argument) for argument in arguments)])


def test_import_then_info(tmp_path):
    (tmp_path / "m.smi").write_text("\n".join(GOOD))
    done = run("import", tmp_path / "m.smi", "--out", tmp_path / "set")
    assert done.exit_code == 0, done.output
    assert "6 of 7 rows" in done.output and "left out: 1 radical" in done.output
    shown = run("info", tmp_path / "set")
    assert shown.exit_code == 0 and "atom: C " in shown.output and "radical: 1" in shown.output
    assert "have a nontrivial automorphism" in shown.output


def test_json_is_one_object(tmp_path):
    (tmp_path / "m.smi").write_text("\n".join(GOOD))
    done = json.loads(run("import", tmp_path / "m.smi", "--out", tmp_path / "set", "--json").stdout)
    assert done["rows"] == 7 and done["count"] == 6 and done["left_out"] == {"radical": 1}
    shown = json.loads(run("info", tmp_path / "set", "--json").stdout)
    assert shown["count"] == 6 and sum(shown["sizes"].values()) == 6 and shown["domain"]["kind"] == "MolecularGraph"
    assert shown["labels"]["bond"]["triple"] > 0 and shown["symmetry"] == {
        "count": 6,
        "symmetric_share": pytest.approx(1 / 6),
        "largest_group": 2,
        "too_large": 0,
        "undecided": 0,
    }  # ethane alone: the Kekule form of pyridine has no mirror


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["info", "small-molecule"], "did you mean 'small-molecules'"),
        (["import", "missing.smi", "--out", "set"], "missing.smi: no such file"),
        (["import", "x.smy", "--out", "set"], "did you mean '.smi'?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, monkeypatch, arguments, error):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and error in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["import", "info"])
def test_help_has_an_example(verb):
    assert f"Example: symdiff data {verb}" in " ".join(run(verb, "--help").output.split())


def test_help_imports_nothing_heavy():
    code = "import sys, symdiff.cli.data; print({'torch', 'rdkit', 'numpy', 'networkx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
