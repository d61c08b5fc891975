"""The folder that an evaluation writes, and what stops it from being written."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symdiff.errors import UserError
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.charts import draw_bars, draw_densities
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import KINDS, load_kind
from symdiff_evaluation.core.write import FILES, write
from symdiff_evaluation.molecules.draw import draw_grid, draw_svg

COLUMNS = ("index", "file", "record", "smiles", "canonical", "valid", "reason", "unique", "novel")

TEXTS = "CCO\nOCC\n\nC.CC\nCN(C)(C)C\nc1ccccc1\n<script>alert(1)</script>\n[CH3]\nC12C3C4C1C5C2C3C45\n"


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text(TEXTS)
    return path


@pytest.fixture
def folder(samples, tmp_path):
    return write(evaluate([samples], reference="qm9-train"), tmp_path / "out")


def test_every_file_is_there(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]


def test_metrics(folder):
    found = json.loads((folder / "metrics.json").read_text())
    assert list(found) == list(protocols.load("molecule-graph").metrics)
    for name, estimate in found.items():
        assert set(estimate) == {"value", "low", "high", "count", "undecided"}, name
        if estimate["low"] is not None:
            assert estimate["low"] <= estimate["value"] <= estimate["high"], name
    assert found["validity.strict"]["value"] == pytest.approx(5 / 9)


def test_table(folder):
    with (folder / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 9
    assert [row["valid"] for row in rows].count("true") == 5
    assert rows[0] == dict(zip(COLUMNS, ("1", "a.smi", "1", "CCO", "CCO", "true", "", "true", "true"), strict=True))
    assert rows[1]["unique"] == "false" and rows[2]["reason"] == "empty: no text" and rows[2]["unique"] == ""
    assert rows[7]["canonical"] == "[CH3]" and rows[7]["novel"] == "true"
    assert rows[5]["canonical"] == "c1ccccc1" and rows[5]["novel"] == "false"


def test_about(folder):
    about = json.loads((folder / "about.json").read_text())
    assert about["records"] == 9 and about["reference"]["name"] == "qm9-train"
    assert about["failures"] == {"empty": 1, "fragments": 1, "syntax": 1, "valence": 1}


class Loads(HTMLParser):
    """Collects tags and whatever a page would load."""

    def __init__(self):
        super().__init__()
        self.tags, self.sources = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action")]


def test_report_stands_alone(folder):
    text = (folder / "report.html").read_text()
    page = Loads()
    page.feed(text)
    assert not page.tags & {"script", "link", "iframe", "img", "object", "embed", "form"}
    assert page.sources and all(source.startswith("#") for source in page.sources)
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert "&lt;script&gt;" in text
    ids = re.findall(r'<section id="([^"]+)"', text)
    assert {source[1:] for source in page.sources} == set(ids)
    assert ids == ["numbers", "distributions", "symmetry", "samples", "failures", "about"]


def test_a_report_without_any_molecule(tmp_path):
    (tmp_path / "a.smi").write_text("\nC(\n")
    for reference in ("qm9-train", "none"):
        out = write(evaluate([tmp_path / "a.smi"], reference=reference), tmp_path / reference)
        assert "Failures" in (out / "report.html").read_text()


def test_an_earlier_evaluation_is_replaced(folder, samples):
    samples.write_text("C\n")
    write(evaluate([samples]), folder)
    assert len((folder / "samples.csv").read_text().splitlines()) == 2


def test_a_foreign_folder_is_left_alone(folder, samples):
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="thesis.tex"):
        write(evaluate([samples]), folder)
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_nothing(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.core.report.make_report", lambda evaluation: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(evaluate([samples]), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.smi"]


def test_a_file_as_reference(samples, tmp_path):
    (tmp_path / "train.smi").write_text("CCO\nC\n")
    found = evaluate([samples], reference=tmp_path / "train.smi")
    assert found.reference.count == 2 and found.estimates["novelty"].value == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.smi", "--out", "out"], "no such file"),
        (["a.smi", "--out", "a.smi"], "expected a folder"),
        (["a.smi", "--out", "out", "--protocol", "molecule-grap"], "did you mean 'molecule-graph'"),
        (["a.smi", "--out", "out", "--reference", "qm9-trian"], "did you mean 'qm9-train'"),
        (["a.smi", "--out", "out", "--reference", "../../etc/passwd"], "does not exist"),
        (["empty.smi", "--out", "out"], "no record"),
        (["a.smi", "--out", "out", "--reference", "empty.smi"], "none of its 0 records"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(samples, tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.smi").write_text("")
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1 and told in printed.err
    assert not printed.out and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command(samples, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "symdiff_evaluation", str(samples), "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert not done.stderr


def test_table_in_the_terminal(samples, tmp_path, capsys):
    assert main([str(samples), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert "validity.strict" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"metrcs": []}, "did you mean 'metrics'"),
        ({"metrics": ["validity.strct"]}, "did you mean 'validity.strict'"),
        ({"metrics": ["vun", "vun"]}, "twice"),
        ({"metrics": []}, "at least one"),
        ({"samples": 0}, "above 0"),
        ({"samples": "many"}, "expected int"),
        ({"samples": True}, "expected int"),
        ({"name": None}, "expected str"),
    ],
)
def test_protocols_are_strict(change, told):
    plain = {"name": "p", "about": "a", "samples": 10, "reference": "none", "metrics": ["vun"]}
    assert protocols.parse(plain).metrics == ("vun",)
    with pytest.raises(UserError, match=told):
        protocols.parse({**plain, **change})


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("latice", "did you mean 'lattice'"),
        ("lattice", "'vun' is no metric of lattice, but of molecule-graph"),
        (3, "expected one of"),
    ],
)
def test_a_protocol_is_of_one_kind(kind, told):
    plain = {"name": "x", "about": "y", "samples": 1, "reference": "none", "metrics": ["vun"]}
    assert protocols.parse(plain).kind == protocols.parse({**plain, "kind": "molecule-graph"}).kind == "molecule-graph"
    with pytest.raises(UserError, match=told):
        protocols.parse({**plain, "kind": kind})


@pytest.mark.parametrize("text", ["- a\n", "name: x\nname: y\n", "a: [", "a: !!python/name:os.system x\n", "\x00"])
def test_broken_protocol_files(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="p.yaml"):
        protocols.load(path)


def test_shipped_protocols_load():
    plain, more = (set(protocols.load(name).metrics) for name in ("molecule-graph", "molecule-graph-fcd"))
    assert more - plain == {"fcd.train", "fcd.test"} and not plain - more
    used = {name: set() for name in KINDS}
    for name in protocols.list_shipped():
        used[protocols.load(name).kind] |= set(protocols.load(name).metrics)
    assert used == {name: set(load_kind(name).metrics_by_id) for name in KINDS}


def test_a_missing_extra_is_told(samples, monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.molecules.chemnet.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install"):
        evaluate([samples], protocol="molecule-graph-fcd")


@pytest.mark.parametrize("name", KINDS)
def test_every_metric_is_explained(name):
    text = (Path(__file__).parents[3] / "evaluation" / "README.md").read_text()
    _, _, text = text.partition(f"\n## Numbers: {name}\n")
    for metric in load_kind(name).metrics_by_id:
        assert f"`{metric}`" in text.partition("\n## ")[0], metric


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_pictures(tmp_path, ending):
    path = draw_grid(["CCO", "CN(C)(C)(C)C", "c1ccccc1"], tmp_path / f"a{ending}", columns=2)
    assert path.stat().st_size > 1000
    with pytest.raises(UserError, match="cannot draw"):
        draw_grid(["C("], tmp_path / f"b{ending}")
    with pytest.raises(UserError, match=".png or .svg"):
        draw_grid(["C"], tmp_path / "a.gif")


def test_a_large_ring_is_drawn_at_once():
    begun = time.process_time()
    assert draw_svg("OC1" + "C" * 80 + "1").startswith("<svg")
    assert time.process_time() - begun < 2


def test_charts_of_one_value_and_of_whole_numbers():
    assert draw_densities([64, 64], None).count("<rect") == 1 and ">64<" in draw_densities([64, 64], None)
    comb = draw_densities([3, 4, 4, 5, 90], None)
    heights = {point.split(",")[1] for point in re.search(r'points="([^"]+)"', comb)[1].split()}
    assert len(heights) == 4 and "2.5<" not in comb  # nothing, one, two and one again, the line below
    long = draw_bars(dict.fromkeys("abcdefghijk", 1 / 12) | {"a long name": 1 / 12}, None)
    assert long.count("font-size") == 1


def test_the_gallery_of_symmetric_samples_holds_no_other(tmp_path):
    (tmp_path / "a.smi").write_text("CCO\nC(O)F\n")
    assert (
        "no sample has a symmetry"
        in (write(evaluate([tmp_path / "a.smi"]), tmp_path / "out") / "report.html").read_text()
    )
