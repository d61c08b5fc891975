"""Bonds of geometries.

Known molecules come back with their hands; what is none has a reason; what ran out is no answer.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.chemistry import perception
from symdiff.chemistry.bonding import Undecided
from symdiff_evaluation.core.limits import Limits, Undetermined
from symdiff_evaluation.molecules3d.perception import perceive
from symdiff_evaluation.molecules3d.read import read
from symdiff_evaluation.molecules3d.samples import PlacedAtoms, from_arrays

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "qm9")


def embedded(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    AllChem.MMFFOptimizeMolecule(mol)
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], np.uint8)
    return PlacedAtoms(numbers, mol.GetConformer().GetPositions(), Chem.GetFormalCharge(mol))


@pytest.mark.parametrize(
    "smiles",
    ["O", "C", "c1ccccc1", "CC(=O)O", "C#N", "[NH3+]CC(=O)[O-]", "C[N+](=O)[O-]", "[NH4+]", "FC(Cl)Br", "CC=N"],
)
def test_molecules_come_back(smiles):
    found = perceive(embedded(smiles))
    want = Chem.MolToSmiles(Chem.MolFromSmiles(smiles))
    assert found.canonical == want and found.reason == "" and found.default == want


def test_hands():
    right, left = perceive(embedded("C[C@H](O)F")), perceive(embedded("C[C@@H](O)F"))
    assert right.canonical == left.canonical and right.chiral and left.chiral
    assert right.stereo == left.mirrored != right.mirrored == left.stereo
    assert {(right.rights, right.lefts), (left.rights, left.lefts)} == {(1, 0), (0, 1)}
    meso = perceive(embedded("O[C@H](F)[C@@H](O)F"))
    assert not meso.chiral and (meso.rights, meso.lefts) == (1, 1)
    assert not perceive(embedded("C/C=C/C")).chiral


def test_bonds_and_their_orders():
    found = perceive(
        PlacedAtoms(np.array([6, 8, 1, 1]), np.array([[0, 0, 0], [0, 0, 1.21], [0.94, 0, -0.59], [-0.94, 0, -0.59]]))
    )
    assert found.bonds.tolist() == [[0, 1, 2], [0, 2, 1], [0, 3, 1]] and found.canonical == "C=O"
    assert perceive(embedded("c1ccccc1")).bonds[:, 2].tolist().count(4) == 6


def test_what_is_no_molecule_has_a_reason():
    water = embedded("O")
    pair = PlacedAtoms(np.tile(water.numbers, 2), np.concatenate([water.positions, water.positions + [5, 0, 0]]))
    assert (
        perceive(pair).reason == "fragments: 2 components"
        and perceive(pair).default == "O.O"
        and perceive(pair).canonical is None
    )
    assert perceive(PlacedAtoms(np.array([6]), np.zeros((1, 3)))).reason == "radical: 4 unpaired electrons"
    crowd = PlacedAtoms(np.array([9, 9, 9]), np.array([[0, 0, 0], [0, 0, 1.4], [0, 1.4, 0]]))
    assert perceive(crowd).canonical is None and perceive(crowd).reason.split(":")[0] in ("valence", "charge")


def test_a_search_that_ran_out_is_no_answer(monkeypatch):
    def assign(*arguments):
        raise Undecided("iterations")

    monkeypatch.setattr(perception, "assign", assign)
    monkeypatch.setattr(perception, "ITERATIONS", 1)
    assert perceive(embedded("C[N+](=O)[O-]")) == Undetermined("iterations")


def test_elements_whose_valences_are_not_known_are_no_failure():
    """RDKit takes AlH4 for an anion and knows no valence of chromium.

    Of ammonium it is certain that it is not neutral.
    """
    tetrahedron = np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    for number in (13, 24):
        assert perceive(PlacedAtoms(np.array([number, 1, 1, 1, 1]), tetrahedron * 0.9)) == Undetermined("element")
    assert perceive(PlacedAtoms(np.array([7, 1, 1, 1, 1]), tetrahedron * 0.6)).reason.startswith("charge: ")
    assert perceive(PlacedAtoms(np.array([7, 1, 1, 1, 1]), tetrahedron * 0.6, 1)).canonical == "[NH4+]"


def test_files_of_nitro_compounds():
    some = read(Path(__file__).parents[2] / "cases" / "f04_nitro.xyz")
    want = ["O=[N+]([O-])c1ccccc1", "Nc1ccc([N+](=O)[O-])cc1", "O=[N+]([O-])c1ccc([N+](=O)[O-])cc1"]
    assert [perceive(some[k]).canonical for k in range(len(some))] == [Chem.CanonSmiles(smiles) for smiles in want]


@pytest.mark.slow
def test_the_same_for_any_number_of_workers():
    some = [embedded(smiles) for smiles in ("O", "CC", "C=C")] * 12
    offsets = np.cumsum([0, *(len(g.numbers) for g in some)])
    arrays = offsets, np.concatenate([g.numbers for g in some]), np.concatenate([g.positions for g in some])
    told = []
    one, two = from_arrays(*arrays), from_arrays(*arrays)
    object.__setattr__(one, "progress", lambda name, done: told.append((name, done)))
    object.__setattr__(two, "limits", Limits(workers=2))
    assert [p.stereo for p in one.perceptions] == [p.stereo for p in two.perceptions] == ["O", "CC", "C=C"] * 12
    assert told == [("bonds", 1)] * 36 and one.row(1)["perceived"] == "CC"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with qm9")
def test_real_molecules_are_what_their_authors_say():
    with np.load(DATA / "qm9_geom_sample2000.npz", allow_pickle=False) as file:
        some = from_arrays(file["offsets"], file["z"], file["pos"])
        names = set(file["index"][:300].tolist())
        order = {index: place for place, index in enumerate(file["index"].tolist())}
    with gzip.open(DATA / "qm9_smiles.csv.gz", "rt") as stream:
        rows = [row for row in csv.DictReader(stream) if int(row["index"]) in names]
    for row in rows:
        both = [Chem.MolFromSmiles(row[name]) for name in ("smiles_gdb17", "smiles_b3lyp")]
        for mol in (mol for mol in both if mol):
            Chem.RemoveStereochemistry(mol)
        found = perceive(some[order[int(row["index"])]])
        assert found.canonical in {Chem.MolToSmiles(mol) for mol in both if mol}, row
