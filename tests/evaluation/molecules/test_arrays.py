"""Molecules as arrays and GraphML: the same verdicts as their SMILES, and a bad one costs no other."""

import numpy as np
import pytest
from rdkit import Chem

from symdiff.domains import molecule_graphs
from symdiff.domains.molecule_graphs import read_records
from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.guess import guess

TEXTS = ["CCO", "c1ccccc1", "C[N+](C)(C)C", "[O-]C(=O)C", "C.CC", "CN(C)(C)C", "C", "C#N"]


def molecules():
    params = Chem.SmilesParserParams()
    params.sanitize = False
    found = [Chem.MolFromSmiles(text, params) for text in TEXTS]
    Chem.Kekulize(found[1], clearAromaticFlags=True)
    return found


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".graphml"])
def test_the_same_verdicts_as_their_smiles(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    molecule_graphs.write(molecules(), path)
    assert guess([path]) == "molecule-graph"
    (tmp_path / "a.smi").write_text("\n".join(TEXTS))
    one, two = evaluate([path]), evaluate([tmp_path / "a.smi"])
    assert [j.canonical for j in one.samples.verdicts] == [j.canonical for j in two.samples.verdicts]
    assert [j.reason.split(":")[0] for j in one.samples.verdicts] == [
        j.reason.split(":")[0] for j in two.samples.verdicts
    ]
    values = [
        {name: e.value for name, e in part.estimates.items() if not name.startswith("balance.")} for part in (one, two)
    ]
    assert values[0] == values[1]  # but for the order of atoms, which SMILES do not tell


def columns():
    """Water without hydrogens, carbon monoxide, methanol."""
    return {
        "num_nodes": np.array([1, 2, 2]), "edge_ptr": np.array([0, 0, 1, 2]), "edges": np.array([[0, 1], [0, 1]]),
        "element": np.array([8, 6, 8, 6, 8]), "charge": np.array([0, -1, 1, 0, 0]), "order": np.array([3, 1]),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "place", "value", "reason"),
    [
        ("element", 1, 0, "element: atom 1 is none of the elements"),
        ("element", 2, 119, "element: atom 2 is none of the elements"),
        ("charge", 1, -16, "charge: atom 1 has a charge beyond 15"),
        ("order", 0, 4, "order: expected bonds of order 1, 2 or 3"),
        ("order", 0, 0, "order: expected bonds of order 1, 2 or 3"),
        ("edges", 1, 2, "atom: expected numbers from 0 to 1, got 2"),
    ],
)
def test_a_bad_one_costs_no_other(tmp_path, name, place, value, reason):
    arrays = columns()
    arrays[name].ravel()[place] = value
    np.savez(tmp_path / "a.npz", **arrays)
    found = evaluate([tmp_path / "a.npz"]).samples
    assert [j.canonical for j in found.verdicts] == ["O", None, "CO"] and found.verdicts[1].reason.startswith(reason)
    assert [r.number for r in found.records] == [1, 2, 3]


def test_a_molecule_without_atoms_is_empty(tmp_path):
    arrays = columns()
    arrays["num_nodes"] = np.array([1, 0, 2, 2])
    arrays["edge_ptr"] = np.array([0, 0, 0, 1, 2])
    np.savez(tmp_path / "a.npz", **arrays)
    assert [record.reason for record in read_records(tmp_path / "a.npz")] == ["", "empty: no atom", "", ""]


def test_files_that_are_no_molecules(tmp_path):
    arrays = columns()
    np.savez(tmp_path / "a.npz", **{**arrays, "charge": arrays["charge"][:-1]})
    with pytest.raises(UserError, match="a.npz: element, charge: expected integers, one of each an atom"):
        list(read_records(tmp_path / "a.npz"))
    del arrays["charge"]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match="a.npz: the array 'charge' is missing"):
        list(read_records(tmp_path / "a.npz"))


def test_graphml_grows_with_the_number_of_molecules(tmp_path):
    sizes = []
    for count in (10, 20):
        molecule_graphs.write(molecules()[:1] * count, tmp_path / "a.graphml")
        sizes.append((tmp_path / "a.graphml").stat().st_size)
    assert sizes[1] < 2.1 * sizes[0]
