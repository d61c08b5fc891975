"""Files of molecules, record by record: the one way in, for training data and for samples alike.

A broken record is a record with a reason and costs no neighbor; no more than one of them is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import flat_arrays, sdf, smiles, xyz
from symdiff.chemistry.formats import ENDINGS as TEXT
from symdiff.chemistry.formats import recognize
from symdiff.chemistry.geometry import Geometry, bare, geometry_of
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.chemistry.parse import parse
from symdiff.errors import UserError
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_arrays
from symdiff.storage.boundary import describe, reading
from symdiff.storage.files import open_text
from symdiff.storage.records import Broken, Record

ENDINGS = tuple(TEXT)


def read(
    path: str | Path,
    column: str | None = None,
    split_column: str | None = None,
    max_atoms: int = MAX_ATOMS,
    properties: Sequence[str] = (),
) -> Iterator[Record]:
    """Read the SMILES or mol blocks of a file.

    Parameters
    ----------
    path : str or Path
        A SMILES a line, a table, or an SDF; gzipped or not, recognized by what it holds.
    column : str, optional
        The column of SMILES in a table; without, the one called ``smiles``, or the only one that starts so.
    split_column : str, optional
        The column of a table that names the split of each molecule.
    max_atoms : int
        What is larger is a broken record.
    properties : sequence of str
        The columns of a table, or the data fields of an SDF, whose values come with each record.

    Yields
    ------
    Record
        In the order of the file.

    Raises
    ------
    UserError
        For a file that is missing, damaged, of another kind, or has no such column.
    """
    path = Path(path)
    form = recognize(path)
    if form == "xyz":
        raise UserError(f"{path}: holds atoms at their places and no bonds; read it as molecules in 3D")
    if form != "table" and (column or split_column):
        raise UserError(f"{path}: has no columns; only a table, such as .csv or .tsv, has them")
    with open_text(path) as stream, reading(path, form):
        if form == "table":
            yield from smiles.read_table(path, stream, max_atoms, column, split_column, properties)
        elif form == "sdf":
            yield from sdf.read_blocks(path, stream, max_atoms, properties)
        else:
            if properties:
                raise UserError(f"{path}: has no columns, and so no {properties[0]!r}; a table with a header has them")
            yield from smiles.read_lines(path, stream, max_atoms)


def read_geometries(
    path: str | Path, max_atoms: int = MAX_ATOMS, bonds: bool = True, properties: Sequence[str] = ()
) -> Iterator[tuple[Record, Geometry | None]]:
    """Read the molecules of a file with their places in 3D.

    Parameters
    ----------
    path : str or Path
        .xyz, .extxyz or .sdf, gzipped or not, recognized by what it holds; .npz or .safetensors with the arrays ``z``,
        ``pos`` and ``offsets``.
    max_atoms : int
        What is larger is a broken record.
    bonds : bool
        Whether the bonds that a file has come with the atoms; without, they may be any.
    properties : sequence of str
        The keys of a comment (extxyz), or the data fields of an SDF, whose values come with each record.

    Yields
    ------
    tuple of Record and Geometry
        The geometry is None where the record has a reason.

    Raises
    ------
    UserError
        For a file that is missing, damaged, or of another kind.
    """
    path = Path(path)
    if path.name.lower().endswith(ARRAYS):
        yield from flat_arrays.read(read_arrays(path), path.name, max_atoms, bonds, place=str(path))
        return
    form = recognize(path)
    if form not in ("xyz", "sdf"):
        raise UserError(f"{path}: holds SMILES, no molecules in 3D; expected .xyz, .extxyz, .sdf or arrays")
    with open_text(path) as stream, reading(path, form):
        if form == "xyz":
            yield from xyz.read_blocks(path, stream, max_atoms, properties)
        else:
            for record in sdf.read_blocks(path, stream, max_atoms, properties):
                yield _from_block(record, max_atoms, bonds)


def _from_block(record: Record, max_atoms: int, bonds: bool) -> tuple[Record, Geometry | None]:
    try:
        mol = parse(record, max_atoms)
        positions = mol.GetConformer().GetPositions()
        if len(positions) > 1 and not mol.GetConformer().Is3D() and not positions[:, 2].any():
            raise Broken("flat: the block is a drawing, it has no third coordinate")
        if bonds:
            return record, geometry_of(mol, strict=False)
        numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], np.uint8)
        return record, bare(numbers, positions, total=Chem.GetFormalCharge(mol))
    except UserError as error:
        reason = str(error)
    except Exception as error:  # RDKit raises whatever a block leads it to
        reason = f"syntax: {describe(error)}"
    return replace(record, reason=reason), None
