"""A data set as the reference of the command ``symdiff evaluate``."""

import json

import networkx as nx
import numpy as np
import pytest
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.data.importing import import_files
from symdiff.data.molecules import molecules
from symdiff.domains.graph import Graph

TRAIN, TEST = ["CCO", "C", "CC", "CN(C)C"], ["CO", "CF", "N"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a data set, a file of samples, and a cache of its own."""
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    split = np.array([0] * len(TRAIN) + [2] * len(TEST), np.uint8)
    molecules(TRAIN + TEST, split, {"name": "tiny"}, workers=1).save(tmp_path / "tiny")
    (tmp_path / "a.smi").write_text("OCC\nCO\nCCCC\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_a_data_set_is_a_reference(place):
    for _ in range(2):  # derived, then from the cache
        done = run(place / "a.smi", "--out", place / "out", "--reference", place / "tiny", "--workers", 1, "--json")
        assert done.exit_code == 0, done.output
        found = json.loads((place / "out" / "metrics.json").read_text())
        assert found["novelty"]["value"] == pytest.approx(2 / 3)
        assert json.loads((place / "out" / "about.json").read_text())["reference"]["count"] == len(TRAIN)
        assert len(list((place / "cache" / "references").glob("*.json"))) == 1


def test_a_mistake_is_exit_code_2(place):
    done = run(place / "a.smi", "--out", place / "out", "--reference", "no-such-set", "--workers", 1)
    assert done.exit_code == 2 and not (place / "out").exists()
    done = run(place / "missing.smi", "--out", place / "out", "--workers", 1)
    assert done.exit_code == 2 and not (place / "out").exists()


def test_a_data_set_of_graphs_is_a_reference(place):
    """Paths among the samples that are no paths of the training split are new.

    A data set of other structures is refused.
    """
    domain = Graph()
    domain.write([nx.path_graph(k) for k in (2, 3, 4)] * 4, place / "train.graphml")
    domain.write([nx.path_graph(3), nx.path_graph(5)], place / "a.graphml")
    import_files([place / "train.graphml"], place / "paths")
    done = run(place / "a.graphml", "--out", place / "out", "--reference", place / "paths", "--workers", 1)
    assert done.exit_code == 0, done.output
    found = json.loads((place / "out" / "metrics.json").read_text())
    assert found["novelty"]["value"] in (0.5, 1.0)  # by the split: those of 3 nodes may all be held out
    assert json.loads((place / "out" / "about.json").read_text())["reference"]["name"] == "paths"
    done = run(place / "a.graphml", "--out", place / "no", "--reference", place / "tiny", "--workers", 1)
    assert done.exit_code == 2 and "tiny: expected a data set of graphs, got one of MolecularGraph" in done.output
    done = run(place / "a.smi", "--out", place / "no", "--reference", place / "paths", "--workers", 1)
    assert done.exit_code == 2 and "paths: expected a data set of molecules, got Graph" in done.output
    assert not (place / "no").exists()
