"""From Python: structures without files, and metrics of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.errors import UserError
from symdiff_evaluation import Evaluation, evaluate, fraction, metric, write
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core import metric as metrics
from symdiff_evaluation.core.kinds import KINDS, load_kind
from symdiff_evaluation.molecules import accept as molecules
from symdiff_evaluation.molecules.samples import from_smiles
from symdiff_evaluation.molecules.verdict import judge

TEXTS = [
    "CCO",
    "OCC",
    "C(",
    "c1cc[nH]c1",
    "[CH3]",
    "C[N+](=O)[O-]",
    "[O-]S(=O)(=O)C",
    "C1=CC=CN1C",
    "OB(O)c1ccccc1",
    "C[C@H](O)F",
    "[NH4+]",
    "FC(F)(F)Cl",
    "CS(C)=O",
]


def values(found: Evaluation) -> dict:
    return {name: estimate.plain() for name, estimate in found.items()}


def test_smiles_are_what_a_file_of_them_is(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("\n".join(TEXTS))
    assert values(evaluate(TEXTS)) == values(evaluate([path])) == values(evaluate(path)) == values(evaluate(str(path)))


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "C("])
def test_molecules_are_what_their_smiles_are(text):
    record = molecules.accept([Chem.MolFromSmiles(text)])[0]
    assert judge(record).canonical == judge(from_smiles([text]).records[0]).canonical != None  # noqa: E711


def test_molecules_that_are_none():
    odd = Chem.MolFromSmiles("CN(C)(C)C", sanitize=False)
    found = evaluate([Chem.MolFromSmiles("CCO"), None, odd, Chem.MolFromSmarts("[#6]*")], ["validity.strict"])
    assert found["validity.strict"].value == 1 / 4 and len(found.samples.verdicts) == 4


def test_a_reference_in_memory():
    found = evaluate(["CCO", "CN"], ["novelty"], reference=["OCC"])
    assert found["novelty"].value == 0.5 and found.reference.count == 1


def test_molecules_in_3d():
    ase = pytest.importorskip("ase", reason="ase is not installed")
    water = ase.Atoms("OH2", positions=[[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    crystal = ase.Atoms("Na", positions=[[0, 0, 0]], cell=[3, 3, 3], pbc=True)
    found = evaluate([water, crystal, None], ["edm.molecule_stability", "edm.validity"])
    assert found["edm.validity"].value == 1 / 3 and found.samples.reasons[1].startswith("periodic")
    mol = Chem.AddHs(Chem.MolFromSmiles("CO"))
    AllChem.EmbedMolecule(mol, 1)
    pair = (np.array([8, 1, 1]), water.get_positions())
    from symdiff_evaluation.molecules3d.accept import accept

    assert accept([mol, pair, (np.array([8]), np.zeros((2, 3)))]).reasons[:2] == ("", "")
    flat = {"offsets": np.array([0, 3]), "z": pair[0], "pos": pair[1]}
    assert evaluate(flat, ["edm.validity"])["edm.validity"].value == 1


def test_graphs():
    graphs = [
        nx.path_graph(4),
        nx.cycle_graph(5),
        np.ones((3, 3)) - np.eye(3),
        nx.path_graph(3, create_using=nx.DiGraph),
        np.ones((2, 3)),
        np.triu(np.ones((3, 3)), 1),
    ]
    found = evaluate(graphs[:4] + graphs[5:], ["readable", "connected"])
    assert found["readable"].value == 3 / 5 and [bool(reason) for reason in found.samples.reasons] == [
        False,
        False,
        False,
        True,
        True,
    ]
    labeled = nx.path_graph(3)
    nx.set_node_attributes(labeled, {0: 0, 1: 1, 2: 0}, "label")
    nx.set_edge_attributes(labeled, 1, "label")
    assert evaluate([labeled], ["readable"]).samples.graphs[0].node_labels.tolist() == [0, 1, 0]
    assert (
        evaluate([nx.path_graph(4), nx.path_graph(4)], ["novelty", "uniqueness"], [nx.cycle_graph(4)])["novelty"].value
        == 1
    )
    arrays = {"num_nodes": np.array([2]), "edge_ptr": np.array([0, 1]), "edges": np.array([[0, 1]])}
    assert evaluate(arrays, ["connected"])["connected"].value == 1


def test_spins():
    spins = np.random.default_rng(0).choice([-1, 1], (40, 4, 4)).astype(np.int8)
    one, two = (
        evaluate(spins, ["energy_per_site"]),
        evaluate({"spins": spins, "temperature": np.array(2.0)}, ["energy_per_site", "specific_heat"]),
    )
    assert one["energy_per_site"] == two["energy_per_site"] and two["specific_heat"].value is not None
    assert evaluate(spins, ["reference.energy"], reference=spins)["reference.energy"].value == 0


def test_what_cannot_be_told_is_one_line():
    for samples in ([], ["CCO", nx.path_graph(2)], [3], {"a": np.zeros(2)}, ["a.smi", "CCO"], [None]):
        with pytest.raises(UserError) as raised:
            evaluate(samples)
        assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="did you mean 'vun'"):
        evaluate(["CC"], ["vn"])


@pytest.fixture
def own():
    before = {name: dict(found) for name, found in metrics.REGISTERED.items()}
    yield
    metrics.REGISTERED.clear()
    metrics.REGISTERED.update(before)


def test_a_metric_of_ones_own(own, tmp_path):
    @metric("molecule-graph", "share_of_rings", "valid samples with a ring <b>", needs={"counts"})
    def share_of_rings(samples, reference):
        return fraction(sum(bool(one.rings) for one in samples.traits), len(samples.traits))

    found = evaluate(["CCO", "c1ccccc1", "C("], ["share_of_rings", "vun"])
    assert found["share_of_rings"].value == 0.5 and "vun" not in found
    (tmp_path / "p.yaml").write_text(
        "name: p\nabout: a\nsamples: 3\nreference: none\nmetrics: [validity.strict, share_of_rings]\n"
    )
    again = evaluate(["CCO", "c1ccccc1", "C("], str(tmp_path / "p.yaml"))
    page = (write(again, tmp_path / "out") / "report.html").read_text()
    assert (
        "share_of_rings" in page
        and "&lt;b&gt;" in page
        and json.loads((tmp_path / "out" / "metrics.json").read_text())["share_of_rings"]["value"] == 0.5
    )


def test_a_metric_that_compares(own):
    @metric("graph", "more_nodes", "share of graphs larger than all in training", compares=True)
    def more_nodes(samples, reference):
        return fraction(0, len(samples))

    assert "more_nodes" not in evaluate([nx.path_graph(3)], ["readable", "more_nodes"])
    assert evaluate([nx.path_graph(3)], ["more_nodes"], [nx.path_graph(2)])["more_nodes"].count == 1


def test_metrics_of_ones_own_have_names_of_their_own(own):
    with pytest.raises(UserError, match="comes with the package"):
        metric("molecule-graph", "vun", "a")(lambda samples, reference: None)
    with pytest.raises(UserError, match="did you mean 'lattice'"):
        metric("latice", "x", "a")


@pytest.mark.parametrize("name", KINDS)
def test_a_metric_is_a_file(name):
    """Every metric is one of the classes in the files of its kind's folder ``metrics``."""
    found = load_kind(name).metrics
    assert found and len({type(one) for one in found}) == len(found)
    assert all(".metrics." in type(one).__module__ for one in found)


@pytest.mark.slow
def test_one_command_line(tmp_path, capsys):
    (tmp_path / "a.smi").write_text("CCO\n")
    assert main([str(tmp_path / "a.smi"), "--out", str(tmp_path / "one"), "--workers", "1", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    command = [
        sys.executable,
        "-m",
        "symdiff",
        "evaluate",
        str(tmp_path / "a.smi"),
        "--out",
        str(tmp_path / "two"),
        "--workers",
        "1",
        "--json",
    ]
    assert json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == one
    assert main(["--out", "r"]) == 2 and capsys.readouterr().err.startswith("error: ")


@pytest.mark.slow
def test_the_page_runs(own, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[3] / "evaluation" / "README.md").read_text()
    monkeypatch.chdir(tmp_path)
    exec(page.partition("```python\n")[2].partition("```")[0], {})
    assert capsys.readouterr().out == "0.5 0.0\n" and (tmp_path / "own-report" / "report.html").is_file()
