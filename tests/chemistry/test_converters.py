"""What evaluation/README.md says to do with files that are not read is what works."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import networkx as nx
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from symdiff.domains.kinds import recognize
from symdiff.errors import UserError

README = Path(__file__).parents[2] / "evaluation" / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("**Files that are not read**")[2].partition("**Undecided**")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One file of each kind that is refused."""
    from ase.build import molecule
    from ase.io import write

    (tmp_path / "graphs.pkl").write_bytes(pickle.dumps([nx.path_graph(3), nx.cycle_graph(4)]))
    atoms = molecule("CH3OH", vacuum=4.0, pbc=True)
    write(tmp_path / "crystal.cif", atoms)
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    Chem.MolToPDBFile(mol, str(tmp_path / "molecule.pdb"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("number", "given", "made", "kind"), [
    (0, "graphs.pkl", "graphs.graphml", "graph"), (1, "crystal.cif", "molecules.extxyz", "molecule-3d"),
    (2, "molecule.pdb", "molecules.sdf", "molecule-graph"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_converters_make_files_that_are_read(number, given, made, kind, folder):
    with pytest.raises(UserError, match="evaluation/README.md says how to convert it"):
        recognize(folder / given)
    exec(compile(BLOCKS[number], str(README), "exec"), {})
    assert recognize(folder / made) == kind
    assert len(BLOCKS[number].strip().splitlines()) <= 5
