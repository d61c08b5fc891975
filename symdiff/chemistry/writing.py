"""Molecules as graphs of atoms -> files: .smi, .csv, .sdf."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor

from symdiff.chemistry import kekule
from symdiff.storage.atomic import open_output
from symdiff.storage.files import ending

WRITE = (".smi", ".csv", ".sdf")


def write(mols: Iterable[Chem.Mol], path: str | Path) -> None:
    """Write a record a molecule.

    A molecule that sanitizes is written as its canonical SMILES; another one as the SMILES of its graph as it stands,
    so that reading the file finds the same molecules invalid.

    Parameters
    ----------
    mols : iterable of rdkit.Chem.Mol
        Unsanitized, as a domain decodes them; each is written before the next is asked for.
    path : str or Path
        .smi: SMILES; .csv: SMILES and the reason why a molecule does not sanitize, "" for one that does; .sdf: 2D
        coordinates and the reason.

    Raises
    ------
    UserError
        For another ending, or a file that cannot be written.
    """
    suffix = ending(path, WRITE)
    form = {".sdf": _block, ".smi": _line, ".csv": _row}[suffix]
    with open_output(path) as output:
        output("smiles,reason\n" if suffix == ".csv" else "")
        for mol in mols:
            output(form(*_entry(mol)))


def _entry(mol: Chem.Mol) -> tuple[Chem.Mol, str]:
    checked = Chem.Mol(mol)
    reason = kekule.problem(checked)
    if reason is None:
        return checked, ""
    raw = Chem.Mol(mol)
    raw.UpdatePropertyCache(strict=False)
    return raw, reason


def _smiles(mol: Chem.Mol, reason: str) -> str:
    text = Chem.MolToSmiles(mol, canonical=not reason)
    if not reason or kekule.problem(Chem.MolFromSmiles(text, sanitize=False)):
        return text
    # RDKit mends some charges of halogens where it finds hydrogens, which it gave them itself
    bare = Chem.Mol(mol)
    for atom in bare.GetAtoms():
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(0)
    return Chem.MolToSmiles(bare, canonical=False)


def _line(mol: Chem.Mol, reason: str) -> str:
    return f"{_smiles(mol, reason)}\n"


def _row(mol: Chem.Mol, reason: str) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow((_smiles(mol, reason), reason))
    return row.getvalue()


def _block(mol: Chem.Mol, reason: str) -> str:
    if reason:
        Chem.FastFindRings(mol)
    rdDepictor.Compute2DCoords(mol)
    note = f">  <reason>\n{reason}\n\n" if reason else ""
    return f"{Chem.MolToMolBlock(mol, kekulize=not reason)}{note}$$$$\n"
