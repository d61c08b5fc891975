"""Files of molecules: .smi, .txt, .csv, .sdf; as graphs .npz, .safetensors, .graphml."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.rdBase import BlockLogs

from symdiff.chemistry import kekule
from symdiff.domains import molecule_graphs
from symdiff.graphs.files import WRITE as GRAPHS
from symdiff.errors import UserError, nearest
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending, read_text

READ, WRITE = (".smi", ".txt", ".csv", ".sdf"), (".smi", ".csv", ".sdf")
SPATIAL = (".extxyz", ".xyz", ".cif", ".pdb")


def read_rows(path: str | Path, column: str | None = None, split: str | None = None) -> tuple[str, list[str], list[str]]:
    """The entries of a file as text: ("smiles" or "molblock", the rows, their split or nothing).

    ``column`` and ``split`` name columns of a .csv file; without, the column is the one called "smiles" in any case. A .smi or
    .txt file has a SMILES a line, with anything behind a space or tab, and perhaps a header "smiles". Raises UserError.
    """
    suffix = ending(path, READ)
    if suffix != ".csv" and (column or split):
        raise UserError(f"{path}: only a .csv file has columns")
    text = read_text(path)
    if suffix == ".csv":
        rows, splits = _csv(path, text, column, split)
        return "smiles", rows, splits
    if suffix == ".sdf":
        entries = text.replace("\r\n", "\n").split("$$$$\n")
        return "molblock", [entry for entry in entries if entry.removesuffix("$$$$").strip()], []
    rows = [line.split(maxsplit=1)[0] for line in text.splitlines() if line.strip()]
    if rows and rows[0].lower() == "smiles":
        rows = rows[1:]
    return "smiles", rows, []


def _csv(path: str | Path, text: str, column: str | None, split: str | None) -> tuple[list[str], list[str]]:
    try:
        table = csv.DictReader(io.StringIO(text, newline=""))
        names = list(table.fieldnames or [])
        if column is None:
            found = [name for name in names if name.strip().lower() == "smiles"]
            if len(found) != 1:
                raise UserError(f"{path}: name the column of SMILES: there are {', '.join(names) or 'none'}")
            column = found[0]
        for name in (column, split):
            if name is not None and name not in names:
                raise UserError(f"{path}: no column {name!r}{nearest(name, names)}")
        entries = [(row[column] or "", row[split] or "" if split else "") for row in table]
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file ({error})") from error
    return [row for row, _ in entries], [name for _, name in entries] if split else []


def read(path: str | Path) -> list[Chem.Mol]:
    """The molecules of a file, unsanitized as ``MolecularGraph.decode`` gives them. Raises UserError for a broken row."""
    if ending(path, (*READ, *GRAPHS)) in GRAPHS:
        return molecule_graphs.read(path)
    form, rows, _ = read_rows(path)
    mols = []
    with BlockLogs():
        for place, row in enumerate(rows, 1):
            if form == "smiles":
                mol = Chem.MolFromSmiles(row, sanitize=False)
            else:
                mol = Chem.MolFromMolBlock(row, sanitize=False, removeHs=False)
            if mol is None:
                raise UserError(f"{path}: entry {place} is not a {'SMILES string' if form == 'smiles' else 'mol block'}")
            mols.append(mol)
    return mols


def write(mols: Sequence[Chem.Mol], path: str | Path) -> None:
    """One entry a molecule: .smi (SMILES), .csv (smiles, reason), .sdf (2D coordinates), or a graph. Raises UserError.

    A molecule that sanitizes is written as its canonical SMILES; another one as the SMILES of its graph as it stands, so
    that reading the file finds the same molecules invalid. The reason is "" for a molecule that sanitizes.
    """
    if Path(path).name.lower().removesuffix(".gz").endswith(SPATIAL):
        raise UserError(f"{path}: this format needs coordinates, which a molecular graph has not; expected {', '.join((*WRITE, *GRAPHS))}")
    suffix = ending(path, (*WRITE, *GRAPHS))
    if suffix in GRAPHS:
        molecule_graphs.write(mols, path)
        return
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
    return Chem.MolToSmiles(mol, canonical=not reason)


def _block(mol: Chem.Mol, reason: str) -> str:
    if reason:
        Chem.FastFindRings(mol)
    rdDepictor.Compute2DCoords(mol)
    note = f">  <reason>\n{reason}\n\n" if reason else ""
    return f"{Chem.MolToMolBlock(mol, kekulize=not reason)}{note}$$$$\n"
