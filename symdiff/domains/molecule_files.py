"""Files of molecules: .smi, .txt, .csv, .sdf; as graphs .npz, .safetensors, .graphml."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor

from symdiff.chemistry import kekule, reading
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.chemistry.parse import parse
from symdiff.domains import molecule_graphs
from symdiff.errors import UserError
from symdiff.graphs.files import WRITE as GRAPHS
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending
from symdiff.storage.records import Record

WRITE = (".smi", ".csv", ".sdf")
SPATIAL = (".extxyz", ".xyz", ".cif", ".pdb")


def read_records(
    path: str | Path, column: str | None = None, split_column: str | None = None, max_atoms: int = MAX_ATOMS
) -> Iterator[Record]:
    """Read the molecules of a file, record by record.

    Parameters
    ----------
    path : str or Path
        A SMILES a line, a table or an SDF, gzipped or not, recognized by what it holds; or graphs of atoms as arrays or GraphML.
    column : str, optional
        The column of SMILES in a table; without, the one called ``smiles``, or the only one that starts so.
    split_column : str, optional
        The column of a table that names the split of each molecule.
    max_atoms : int
        What is larger is a broken record.

    Yields
    ------
    Record
        In the order of the file; a broken one says why.

    Raises
    ------
    UserError
        For a file that is missing, damaged, of another kind, or has no such column.
    """
    if not Path(path).name.lower().removesuffix(".gz").endswith(GRAPHS):
        yield from reading.read(path, column, split_column, max_atoms)
        return
    if column or split_column:
        raise UserError(f"{path}: has no columns; only a table, such as .csv or .tsv, has them")
    yield from molecule_graphs.read_records(path, max_atoms=max_atoms)


def read(path: str | Path) -> list[Chem.Mol]:
    """The molecules of a file, unsanitized as ``MolecularGraph.decode`` gives them. Raises UserError for a broken record."""
    if Path(path).name.lower().removesuffix(".gz").endswith(GRAPHS):
        return molecule_graphs.read(path)
    mols = []
    for record in reading.read(path):
        try:
            mols.append(parse(record))
        except UserError as error:
            raise UserError(f"{path}: record {record.number}: {error}") from None
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
