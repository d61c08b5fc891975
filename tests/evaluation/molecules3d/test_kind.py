"""Molecules in 3D through the whole evaluation: from a file to numbers, rows and pages."""

import csv
import json

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.errors import UserError
from symdiff_evaluation.__main__ import main
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.write import write

pytestmark = pytest.mark.slow

SMILES = ("C", "CO", "CC=O", "N", "C[C@H](O)F", "O=C=O", "C1CC1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("geometries")
    z, pos, offsets, frames = [], [], [0], []
    for text in SMILES:
        mol = Chem.AddHs(Chem.MolFromSmiles(text))
        AllChem.EmbedMolecule(mol, randomSeed=1)
        AllChem.MMFFOptimizeMolecule(mol)
        xyz = mol.GetConformer().GetPositions()
        z += [atom.GetAtomicNum() for atom in mol.GetAtoms()]
        pos += xyz.tolist()
        offsets.append(len(z))
        frames.append(Chem.MolToXYZBlock(mol))
    np.savez(folder / "a.npz", z=z, pos=pos, offsets=offsets)
    np.savez(folder / "bohr.npz", z=z, pos=np.array(pos) * 1.8897, offsets=offsets)
    (folder / "a.xyz").write_text("".join([*frames[:3], "2\n\nC 0 0 0\nXx 0 0 1\n", *frames[3:]]))
    return folder


@pytest.fixture(scope="module")
def found(place):
    return evaluate([place / "a.npz"])


@pytest.mark.slow
def test_numbers_by_hand(found):
    values = {name: estimate.value for name, estimate in found.estimates.items()}
    assert found.protocol.name == "molecule-3d" and found.total == len(SMILES)
    assert (
        values["perceived.validity"] == values["perceived.valid_and_unique"] == 1
        and values["perceived.undetermined"] == 0
    )
    assert values["mirror.chiral_share"] == pytest.approx(1 / 7)
    assert values["shape.asymmetric_share"] == pytest.approx(1 / 7)  # the stereo center alone
    assert values["strain.mmff"] < 0.05  # they lie in the minimum
    assert found.samples.shapes[0].group(0.1) == "Td" and found.samples.shapes[3].group(0.1) == "C3v"


def test_the_folder(place, found):
    out = write(found, place / "out")
    with (out / "samples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["perceived"] for row in rows] == [
        Chem.CanonSmiles(text.replace("@", "").replace("[CH]", "C")) for text in SMILES
    ]
    assert rows[0]["formula"] == "CH4" and rows[0]["point_group_0.1"] == "Td" and rows[0]["valid"] == "true"
    text = (out / "report.html").read_text()
    assert all(
        f'<section id="{name}"' in text
        for name in ("numbers", "distributions", "symmetry", "samples", "failures", "about")
    )
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_a_broken_frame_costs_no_other(place, found):
    other = evaluate([place / "a.xyz"])
    assert other.total == len(SMILES) + 1 and other.kind.count_failures(other.samples) == {"element": 1}
    rows = list(other.kind.list_rows(other.samples, None))
    assert rows[3][4] == "false" and rows[3][5].startswith("element: atom 2") and rows[4][4] == "true"
    assert other.estimates["perceived.uniqueness"].count == len(SMILES)


@pytest.mark.slow
def test_each_work_is_told_with_its_progress(place):
    works, done = [], []
    evaluate(
        [place / "a.npz"],
        execution=Execution(begin=lambda count, what="judging": works.append((what, count)), progress=done.append),
    )
    assert [what for what, _ in works] == ["EDM's rule", "bonds", "strain", "symmetry"]
    assert sum(done) == sum(count for _, count in works) > 0


@pytest.mark.slow
def test_another_unit_is_seen(place):
    assert any("looks like bohr" in note for note in evaluate([place / "bohr.npz"]).notes)


@pytest.mark.slow
def test_a_set_is_at_no_distance_from_itself(place):
    estimates = evaluate([place / "a.npz"], reference=place / "a.npz").estimates
    assert estimates["perceived.novelty"].value == 0 and estimates["geometry.bond_types"].value == 0
    assert estimates["shape.point_group_distance"].value == 0


def test_extras_are_asked_for_before_the_work(place, monkeypatch):
    monkeypatch.setattr("symdiff_evaluation.molecules3d.poses.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'symdiff-torch\[poses\]'"):
        evaluate([place / "a.npz"], protocol="molecule-3d-extras")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"z": [6], "pos": [[0.0, 0, 0]]}, "lacks offsets"),
        ({"z": [6], "pos": [[0.0, 0, 0]], "offsets": [0, 2]}, "rise from 0 to 1"),
        ({"z": ["C"], "pos": [[0.0, 0, 0]], "offsets": [0, 1]}, "z: expected numbers, got <U1"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, arrays, told):
    np.savez(tmp_path / "a.npz", **arrays)
    assert main([str(tmp_path / "a.npz"), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert told in printed and printed.count("\n") == 1 and not (tmp_path / "out").exists()
    assert json.dumps(arrays)
