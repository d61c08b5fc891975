"""Molecules as graphs of atoms -> files: .smi, .csv, .sdf."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor

from symdiff.chemistry import kekule
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending

WRITE = (".smi", ".csv", ".sdf")


def write(mols: Sequence[Chem.Mol], path: str | Path) -> None:
    """Write a record a molecule.

    A molecule that sanitizes is written as its canonical SMILES; another one as the SMILES of its graph as it stands, so
    that reading the file finds the same molecules invalid.

    Parameters
    ----------
    mols : sequence of rdkit.Chem.Mol
        Unsanitized, as a domain decodes them.
    path : str or Path
        .smi: SMILES; .csv: SMILES and the reason why a molecule does not sanitize, "" for one that does; .sdf: 2D coordinates and the reason.

    Raises
    ------
    UserError
        For another ending, or a file that cannot be written.
    """
    suffix = ending(path, WRITE)
    entries = [_entry(mol) for mol in mols]
    if suffix == ".sdf":
        write_file(path, "".join(_block(mol, reason) for mol, reason in entries))
        return
    rows = [(_smiles(mol, reason), reason) for mol, reason in entries]
    if suffix == ".smi":
        write_file(path, "".join(f"{text}\n" for text, _ in rows))
        return
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("smiles", "reason"), *rows])
    write_file(path, table.getvalue())


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


def _block(mol: Chem.Mol, reason: str) -> str:
    if reason:
        Chem.FastFindRings(mol)
    rdDepictor.Compute2DCoords(mol)
    note = f">  <reason>\n{reason}\n\n" if reason else ""
    return f"{Chem.MolToMolBlock(mol, kekulize=not reason)}{note}$$$$\n"
