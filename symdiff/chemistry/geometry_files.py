"""Molecules in 3D <-> files: .sdf, .xyz, .extxyz, .npz, and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import flat_arrays, xyz
from symdiff.chemistry.geometry import Geometry, geometry_of, to_rdkit
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.chemistry.reading import read_geometries
from symdiff.errors import UserError
from symdiff.storage.arrays import write_npz
from symdiff.storage.atomic import open_output, write_file
from symdiff.storage.files import ending
from symdiff.storage.growing import Growing, split

WRITE = (".sdf", ".xyz", ".extxyz", ".npz", ".png")


def read(path: str | Path, max_atoms: int = MAX_ATOMS) -> list[Geometry]:
    """Read all molecules of a file.

    Parameters
    ----------
    path : str or Path
        The file, in any format of molecules in 3D.
    max_atoms : int
        Larger molecules are broken records.

    Returns
    -------
    list of Geometry
        The molecules, in the order of the file.

    Raises
    ------
    UserError
        For a file that cannot be read, and for a broken record.
    """
    geometries = []
    for record, geometry in read_geometries(path, max_atoms):
        if geometry is None:
            raise UserError(f"{path}: molecule {record.number}: {record.reason}")
        geometries.append(geometry)
    return geometries


def write(objs: Iterable, path: str | Path) -> None:
    """Write molecules to a file, by its ending.

    .xyz and .extxyz have no bonds. .npz: ``z`` (sum n,) uint8, ``pos`` (sum n, 3) float32 in angstrom and ``offsets``
    (M + 1,) of the atoms, ``charge`` (sum n,) int8; where all bonds are known ``edges`` (sum E, 2), ``order`` (sum E,)
    and ``edge_offsets`` (M + 1,).

    Parameters
    ----------
    objs : iterable
        Whatever ``geometry_of`` reads; it is written as it stands, before many others are asked for.
    path : str or Path
        .sdf, .xyz, .extxyz, .npz or .png, which shows the first ones.

    Raises
    ------
    UserError
        For a molecule that the format cannot hold; nothing is written then.
    """
    suffix = ending(path, WRITE)
    geometries = _geometries(objs, path)
    if suffix == ".npz":
        _write_arrays(geometries, path)
    elif suffix == ".png":
        from symdiff.chemistry.geometry_picture import MOST, picture

        write_file(path, picture(list(islice(geometries, MOST))))
    else:
        with open_output(path) as output:
            for geometry in geometries:
                output(
                    _block(geometry) if suffix == ".sdf" else xyz.write_block(geometry, extended=suffix == ".extxyz")
                )


def _geometries(objs: Iterable, path: str | Path) -> Iterator[Geometry]:
    for place, obj in enumerate(objs, 1):
        try:
            yield geometry_of(obj, strict=False)
        except UserError as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error


def _write_arrays(geometries: Iterable[Geometry], path: str | Path) -> None:
    """The arrays that ``flat_arrays.pack`` makes, portion by portion: offsets go on where the last portion ended."""
    with Growing(Path(path).parent) as arrays:
        packed: dict[str, np.ndarray] = {}
        names, ends = None, {"offsets": 0, "edge_offsets": 0}
        for portion in chain([[]], split(geometries)):  # of no molecules, empty arrays
            packed = flat_arrays.pack(portion)
            if portion:
                names = [name for name in packed if names is None or name in names]
            for name, rows in packed.items():
                if name in ends:
                    rows, ends[name] = rows + ends[name], ends[name] + int(rows[-1])
                    rows = rows[1:] if name in arrays else rows
                arrays.append(name, rows)
        write_npz(path, {name: arrays[name] for name in names or packed})


def _block(geometry: Geometry) -> str:
    mol = to_rdkit(geometry)
    mol.UpdatePropertyCache(strict=False)
    if not np.isfinite(geometry.position).all():
        raise UserError("an .sdf file holds finite coordinates only, got others; write .npz or .extxyz")
    return f"{Chem.MolToMolBlock(mol, kekulize=False)}$$$$\n"
