"""What came out of an autoencoder against what went in: counted by hand, from files and from memory."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.errors import UserError
from symdiff_evaluation import evaluate

GIVEN = ["CCO", "c1ccccc1", "C1CC1", "CCN", "CC(C)C", "CCF"]
CAME = ["OCC", "C1=CC=CC=C1", "CCC", "C(C)(C)(C)(C)C", "CC(C)C", "FCC"]
EXACT = ["reconstruction.exact", "reconstruction.exact_asymmetric", "reconstruction.exact_symmetric"]


def counts(evaluation, names=EXACT) -> list[tuple[float | None, int]]:
    return [(evaluation[name].value, evaluation[name].count) for name in names]


def test_molecules_are_compared_by_what_they_are():
    found = evaluate(CAME, EXACT, "none", inputs=GIVEN)
    # ethanol, fluoroethane (asymmetric) and benzene, isobutane (symmetric) come back; propane and what is none do not
    assert counts(found) == [(4 / 6, 6), (2 / 3, 3), (2 / 3, 3)]
    assert all(one is None for one, _ in counts(evaluate(CAME, EXACT, "none")))


def test_graphs_are_compared_by_what_they_are_and_by_their_numbering():
    path, cycle = nx.path_graph(4), nx.cycle_graph(5)
    turned = nx.empty_graph(4)
    turned.add_edges_from([(1, 0), (0, 2), (2, 3)])
    names = [*EXACT, "reconstruction.wrong_edges"]
    given = [path, path, cycle, cycle]
    came = [path, turned, nx.path_graph(5), nx.cycle_graph(4)]
    found = evaluate(came, names, "none", inputs=given)
    wrong = np.mean([0, np.triu(adjacency(path) != adjacency(turned)).sum() / 6, 1 / 10])
    assert counts(found, EXACT) == [(0.5, 4), (None, 0), (0.5, 4)]
    assert found["reconstruction.wrong_edges"].value == pytest.approx(wrong)
    assert found["reconstruction.wrong_edges"].undecided == 1


def adjacency(graph: nx.Graph) -> np.ndarray:
    return nx.to_numpy_array(graph, nodelist=sorted(graph))


def test_each_sample_has_its_input():
    with pytest.raises(UserError, match="one input for each of 6 samples, got 2"):
        evaluate(CAME, EXACT, "none", inputs=GIVEN[:2])
    with pytest.raises(UserError, match="are not compared with inputs"):
        evaluate(np.ones((2, 4, 4), np.int64), inputs=np.ones((2, 4, 4), np.int64))


def test_the_command_line_and_the_report(tmp_path):
    (tmp_path / "given.smi").write_text("\n".join(GIVEN) + "\n")
    (tmp_path / "came.smi").write_text("\n".join(CAME) + "\n")
    words = ["evaluate", tmp_path / "came.smi", "--input", tmp_path / "given.smi", "--out", tmp_path / "report"]
    done = CliRunner().invoke(app, [*map(str, words), "--workers", "1"])
    assert done.exit_code == 0, done.output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics.get("metrics", metrics)["reconstruction.exact"]["value"] == pytest.approx(4 / 6)
    report = (tmp_path / "report" / "report.html").read_text()
    assert "went in" in report and "The first 2 of 2 records" in report
    # a column says the same
    rows = "\n".join(f"{came},{given}" for came, given in zip(CAME, GIVEN, strict=True))
    (tmp_path / "both.csv").write_text(f"smiles,input\n{rows}\n")
    assert counts(evaluate(tmp_path / "both.csv", EXACT, "none")) == [(4 / 6, 6), (2 / 3, 3), (2 / 3, 3)]
