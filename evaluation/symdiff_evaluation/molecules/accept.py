"""Molecules in memory as records.

SMILES as they stand, RDKit molecules as mol blocks, which keep the order of their atoms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rdkit import Chem, rdBase

from symdiff.chemistry.smiles import record_of
from symdiff.domains.molecule_graphs import read_records
from symdiff.storage.boundary import describe
from symdiff.storage.records import Record


def accept(structures: Iterable[str | Chem.Mol | None] | Mapping[str, np.ndarray], place: str = "list") -> list[Record]:
    """Make a record of each structure in memory.

    Parameters
    ----------
    structures : iterable of str, rdkit.Chem.Mol or None; or mapping of str to numpy.ndarray
        SMILES, molecules, or the arrays of a file. None, as RDKit returns for what it cannot read, is an empty record.
    place : str
        What stands for the name of a file.

    Returns
    -------
    list of Record
        In the order of the structures.
    """
    if isinstance(structures, Mapping):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "arrays.npz"
            np.savez(path, allow_pickle=False, **structures)
            return list(read_records(path))
    return [_record(place, number, structure) for number, structure in enumerate(structures, 1)]


def _record(place: str, number: int, structure: str | Chem.Mol | None) -> Record:
    if structure is None:
        return Record(place, number, "", reason="empty: no molecule")
    if isinstance(structure, str):
        return record_of(place, number, structure)
    with rdBase.BlockLogs():
        try:
            return Record(place, number, write_block(structure), "molblock")
        except Exception as error:  # a library raises whatever a molecule leads it to: it costs this record alone
            return Record(place, number, "", "molblock", f"error: {describe(error)}")


def write_block(mol: Chem.Mol) -> str:
    """Write the mol block of a molecule, aromatic where it has no Kekule structure.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Need not be sanitized.

    Returns
    -------
    str
        V3000 for more than 999 atoms or bonds.
    """
    mol = Chem.Mol(mol)
    mol.RemoveAllConformers()
    mol.UpdatePropertyCache(strict=False)
    large = max(mol.GetNumAtoms(), mol.GetNumBonds()) > 999
    try:
        return Chem.MolToMolBlock(mol, includeStereo=False, forceV3000=large)
    except Chem.MolSanitizeException:
        return Chem.MolToMolBlock(mol, includeStereo=False, kekulize=False, forceV3000=large)
