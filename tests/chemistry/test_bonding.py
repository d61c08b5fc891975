"""Bond orders and charges from neighbors: what chemists draw comes back, and RDKit agrees where it succeeds."""

import csv
import gzip
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from symdiff.chemistry.bonding import STATES, Undecided, assign
from symdiff.chemistry.perception import molecule, molecule_by_rdkit
from symdiff.storage.records import Broken

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "qm9")
NEUTRAL = [
    "O",
    "CC",
    "C=C",
    "C#N",
    "c1ccccc1",
    "CC(=O)Nc1ccccc1O",
    "O=C(O)c1ccccc1",
    "CSC",
    "CS(C)(=O)=O",
    "CP(C)(C)=O",
    "C=C=C",
    "N#N",
    "FC(Cl)Br",
]
# fmt: off
CHARGED = [  # where RDKit may put charges, or lose count of them
    "CS(C)=O", "FC(Cl)(Br)I", "C[N+](=O)[O-]", "O=[N+]([O-])c1ccccc1", "Nc1ccc([N+](=O)[O-])cc1", "CNC=C[N+](=O)[O-]",
    "O=[N+]([O-])OCC", "O=[N+]([O-])c1ccc([N+](=O)[O-])cc1", "Cc1nc(-c2ccc([N+](=O)[O-])cc2)sc1C(=O)O",
    "C[N+](C)(C)[O-]", "[O-][n+]1ccccc1", "CN=[N+]=[N-]", "CC=[N+]=[N-]", "[C-]#[N+]C", "[NH3+]CC(=O)[O-]",
    "CC#[N+][O-]", "C=[N+](C)[O-]", "CC(=O)[O-]", "C[NH3+]", "Cc1ccc(C)c(NC(=O)Cn2c([N+](=O)[O-])cnc2C)c1",
    "Cn1c(SCC(=O)N)nc2ccccc2c1=O", "[O-][Cl+3]([O-])([O-])O",
]
# fmt: on


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=1) == 0
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol, maxIters=1000)
    return mol


def perceive(mol: Chem.Mol, by=molecule) -> str:
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    return Chem.MolToSmiles(
        Chem.RemoveHs(by(numbers, mol.GetConformer().GetPositions(), Chem.GetFormalCharge(mol))), isomericSmiles=False
    )


@pytest.mark.parametrize("smiles", NEUTRAL + CHARGED)
def test_molecules_come_back(smiles):
    assert perceive(embedded(smiles)) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize("smiles", NEUTRAL)
def test_rdkit_agrees_where_there_are_no_charges(smiles):
    mol = embedded(smiles)
    assert perceive(mol) == perceive(mol, molecule_by_rdkit)


@pytest.mark.parametrize("smiles", ["C[CH2+]", "C[C+](C)C", "[CH2]C[CH2]"])
def test_what_is_not_common_is_left_to_rdkit(smiles):
    mol = embedded(smiles)
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    ends = np.array([(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()])
    assert assign(numbers, ends, np.full(len(ends), 1.4), Chem.GetFormalCharge(mol)) is None
    assert perceive(mol) == perceive(mol, molecule_by_rdkit)


@pytest.mark.parametrize("seed", range(30))
def test_the_fewest_charges_of_all_assignments(seed):
    """Against every choice of bond orders of random chains and rings of five heavy atoms and some hydrogens."""
    random = np.random.default_rng(seed)
    numbers = random.choice([5, 6, 7, 8, 16], 5)
    ends = np.array([(i, i + 1) for i in range(4)] + [(0, 3)] * int(random.integers(2)))
    hydrogens = [k for k in range(5) for _ in range(int(random.integers(3)))]
    numbers = np.concatenate([numbers, np.ones(len(hydrogens), int)])
    edges = np.concatenate([ends, [(k, 5 + h) for h, k in enumerate(hydrogens)]]).astype(int) if hydrogens else ends
    total = int(random.integers(-1, 2))
    least = None
    for orders in product((1, 2, 3), repeat=len(ends)):
        valence = (
            np.bincount(edges.ravel(), np.repeat([*orders, *[1] * len(hydrogens)], 2), len(numbers))
            .astype(int)
            .tolist()
        )
        charges = [STATES[number].get(v) for number, v in zip(numbers.tolist(), valence, strict=True)]
        if None not in charges and sum(charges) == total:
            charge = sum(map(abs, charges))
            least = charge if least is None else min(least, charge)
    found = assign(numbers, edges, np.full(len(edges), 1.4), total)
    assert (found is None) == (least is None)
    if found is not None:
        valence = np.bincount(edges.ravel(), np.repeat(found.orders, 2), len(numbers)).astype(int).tolist()
        assert [STATES[n][v] for n, v in zip(numbers.tolist(), valence, strict=True)] == found.charges.tolist()
        assert found.charges.sum() == total and abs(found.charges).sum() == least


def test_elements_without_common_valences():
    with pytest.raises(Undecided, match="element"):
        assign(np.array([92, 9]), np.array([[0, 1]]), np.array([2.0]))
    with pytest.raises(Broken, match="^(valence|charge): "):
        molecule(np.array([9, 9, 9]), np.array([[0, 0, 0], [0, 0, 1.4], [0, 1.4, 0]]))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with qm9")
def test_geometries_of_qm9_come_back():
    """99.5 % are the molecule that they were made from, at most 0.1 % are none (``benchmarks/perception.py``)."""
    with np.load(DATA / "qm9_geom_sample2000.npz", allow_pickle=False) as file:
        offsets, z, positions, index = (file[name] for name in ("offsets", "z", "pos", "index"))
    with gzip.open(DATA / "qm9_smiles.csv.gz", "rt", encoding="utf-8") as stream:
        smiles = [row["smiles_gdb17"] for row in csv.DictReader(stream)]
    same = invalid = 0
    for k, number in enumerate(index.tolist()):
        atoms = slice(offsets[k], offsets[k + 1])
        try:
            mol = molecule(z[atoms], positions[atoms].astype(float))
        except Broken:
            invalid += 1
            continue
        back = Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False)
        same += back == Chem.MolToSmiles(Chem.MolFromSmiles(smiles[number - 1]), isomericSmiles=False)
    assert same >= 0.995 * len(index) and invalid <= 0.001 * len(index)
