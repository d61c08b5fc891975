"""Protocols, names and cells that mean harm: one line, or plain text."""

from __future__ import annotations

import csv
import json
import os
import time

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.cells import escape, unescape
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.write import write
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.samples import from_graphs
from symdiff_evaluation.molecules import verdict
from symdiff_evaluation.molecules.draw import draw_svg
from symdiff_evaluation.molecules.samples import from_smiles

HEAD = "name: p\nabout: a\nreference: none\nmetrics: [vun]\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
PROTOCOLS = {
    "an alias bomb": BOMB,
    "a date": HEAD.replace("about: a", "about: 2020-01-01") + "samples: 3\n",
    "5,000 digits": HEAD + f"samples: {'9' * 5000}\n",
    "4,000 digits": HEAD + f"samples: {'9' * 4000}\n",
    "a list in the list": HEAD.replace("[vun]", "[[vun]]") + "samples: 3\n",
    "a mapping in the list": HEAD.replace("[vun]", "[{vun: 1}]") + "samples: 3\n",
    "a list as kind": HEAD + "samples: 3\nkind: [a]\n",
    "deep": "[" * 5000,
    "a list as key": HEAD + "samples: 3\n? [a]\n: b\n",
    "a long key": HEAD + f"samples: 3\n{'x' * 900}: 3\n",
    "large": HEAD + "samples: 3\n" + "#" * 200_000,
    "infinite": HEAD + "samples: .inf\n",
    "two documents": HEAD + "samples: 3\n---\na: 1\n",
    "no UTF-8": b"name: \xff\n",
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_end_in_one_line(name, tmp_path):
    content = PROTOCOLS[name]
    path = tmp_path / "p.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    begun = time.process_time()
    with pytest.raises(UserError, match=r"p\.yaml") as raised:
        protocols.load(path)
    assert time.process_time() - begun < 5 and "\n" not in str(raised.value) and len(str(raised.value)) < 1000


TEXTS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\tx",
    "\rx",
    '=HYPERLINK("x")',
    "'quoted",
    "''",
    "＝1",
    "CCO",
    "",
    "a=b",
    "-1.5",
    "+3",
    "1e-3",
    "-.5E+7",
]


@pytest.mark.parametrize("text", TEXTS)
def test_cells_run_nowhere_and_come_back(text):
    cell = escape(text)
    assert unescape(cell) == text
    try:
        float(text)
        assert cell == text
    except ValueError:
        assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))


def test_numbers_stay_numbers():
    assert [escape(value) for value in (-3, 2.5, None, True)] == [-3, 2.5, None, True]


def test_the_table_runs_nowhere(tmp_path):
    path = tmp_path / "=a.smi"
    path.write_text("=CC\n@SUM(1)\n+C\n-C\nCCO\n'C\n")
    out = write(evaluate([path]), tmp_path / "out")
    with (out / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert [unescape(row["smiles"]) for row in rows] == ["=CC", "@SUM(1)", "+C", "-C", "CCO", "'C"]


LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        [f"{LONG}.smi", "--out", "r"],
        [f"{LONG}.npz", "--out", "r"],
        [f"{LONG}.xyz", "--out", "r"],
        [f"{LONG}.graphml", "--out", "r"],
        ["a.smi", "--out", LONG],
        ["a.smi", "--out", f"{LONG}/r"],
        ["a.smi", "--out", "r", "--protocol", LONG],
        ["a.smi", "--out", "r", "--protocol", f"{LONG}.yaml"],
        ["a.smi", "--out", "r", "--reference", LONG],
        ["a.smi", "--out", "r", "--reference", f"{LONG}.smi"],
        ["a.smi", "--out", "r", "--mcf", LONG, "--protocol", "molecule-graph-moses"],
        ["a.smi", "--out", "r", "--shards", LONG],
    ],
)
def test_names_that_no_file_can_have(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.smi").write_text("CCO\n")
    assert main([*arguments, "--workers", "1"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.smi"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names of bytes")
def test_names_that_are_no_text(tmp_path, capsys):
    path = tmp_path / os.fsdecode(b"b\xff\xe9.smi")
    path.write_text("CCO\nC(\n")
    assert main([str(path), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    capsys.readouterr()
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about["records"] == 2 and about["files"][0]["sha256"]
    (tmp_path / "out" / "report.html").read_bytes().decode("utf-8")
    (tmp_path / "out" / "samples.csv").read_bytes().decode("utf-8")


def test_a_file_name_as_long_as_can_be_has_no_sidecar_and_is_evaluated(tmp_path):
    path = tmp_path / ("x" * 250 + ".smi")
    path.write_text("CCO\n")
    assert evaluate([path]).total == 1


# what a library raises for one record


def fail(*given, **named):
    raise RuntimeError("Invariant Violation\n\n\tatomicNumber < byanum.size()")


def test_one_bad_row_ends_no_evaluation(tmp_path):
    (tmp_path / "a.smi").write_text("CCO\n[#999]\nO\n")
    found = evaluate([tmp_path / "a.smi"])
    rows = list(found.kind.list_rows(found.samples, None))
    assert [row[4] for row in rows] == ["true", "false", "true"] and rows[1][5] and "\n" not in rows[1][5]


@pytest.mark.parametrize("step", ["automorphisms", "count_stable", "canonical", "sanitize", "add_charges"])
def test_whatever_judging_raises_is_the_records_reason(step, monkeypatch):
    monkeypatch.setattr(verdict, step, fail)
    samples = from_smiles(["CCO", "C(", "CN(C)(C)C"])
    assert len(samples.verdicts) == 3
    for judged in samples.verdicts:
        assert (judged.canonical is None) == bool(judged.reason) and "\n" not in judged.reason


def test_whatever_a_work_on_graphs_raises_costs_one_graph(monkeypatch):
    graphs = from_graphs([SimpleGraph(3, np.array([[0, 1], [1, 2]]), None, None)] * 2, "a")
    monkeypatch.setattr("symdiff_evaluation.graphs.works.check", fail)
    monkeypatch.setattr("symdiff_evaluation.graphs.works.find_automorphisms", fail)
    monkeypatch.setattr("symdiff_evaluation.graphs.forms.hash_forms", fail)
    assert all(reason.startswith("error: Invariant") for reason in graphs.check_rule("planar"))
    assert list(graphs.symmetries) == [None, None] and list(graphs.hashes) == [0, 0]


def test_what_cannot_be_drawn_has_no_picture(monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.molecules.draw._lay_out", fail)
    assert draw_svg("CCO") == ""
