"""One drawing of what is drawn in several ways."""

import pytest
from rdkit import Chem

from symdiff.chemistry.normal import normalize
from symdiff.chemistry.parse import canonical, flatten
from symdiff_evaluation.molecules.samples import from_smiles

DRAWINGS = {
    "CS(C)=O": ["C[S+](C)[O-]", "CS(C)=O"],
    "CS(C)(=O)=O": ["C[S+2](C)([O-])[O-]", "C[S+](C)(=O)[O-]"],
    "CP(C)(C)=O": ["C[P+](C)(C)[O-]"],
    "C[Se](C)=O": ["C[Se+](C)[O-]"],
    "O=S1C=CC=C1": ["[O-][s+]1cccc1"],
    "CN=[N+]=[N-]": ["C[N-][N+]#N", "CN=N#N"],
    "CC=[N+]=[N-]": ["C[CH-][N+]#N", "CC=N#N"],
    "C[N+](=O)[O-]": ["CN(=O)=O"],
    "C[N+](C)(C)[O-]": ["CN(C)(C)=O"],
    "[O-][n+]1ccccc1": ["O=n1ccccc1"],
    "C[N+]#[C-]": [],
    "C[S+](C)C": [],
    "CS(=O)(=O)[O-]": ["C[S+]([O-])(=O)[O-]"],
    "[NH3+]CC(=O)[O-]": [],
}


@pytest.mark.parametrize("smiles", DRAWINGS)
def test_every_drawing_has_one_normal_form(smiles):
    for drawing in (smiles, *DRAWINGS[smiles]):
        mol = Chem.MolFromSmiles(drawing)
        normal = normalize(mol)
        assert Chem.MolToSmiles(normal) == Chem.CanonSmiles(smiles)
        assert Chem.MolToSmiles(normalize(normal)) == Chem.MolToSmiles(normal)
        assert Chem.GetFormalCharge(normal) == Chem.GetFormalCharge(mol)
        assert [a.GetAtomicNum() for a in normal.GetAtoms()] == [a.GetAtomicNum() for a in mol.GetAtoms()]
        assert canonical(flatten(mol)) == Chem.CanonSmiles(smiles)


def test_samples_are_compared_in_the_normal_form():
    samples = from_smiles(["C[S+](C)[O-]", "CS(C)=O", "C[N-][N+]#N", "CN=[N+]=[N-]"])
    assert len(samples.valid) == 4 and len(samples.distinct) == 2
