"""Molecules in 3D <-> files: .sdf, .xyz, .extxyz, .npz, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry import flat_arrays, xyz
from symdiff.chemistry.geometry import Geometry, geometry_of, to_rdkit
from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.chemistry.reading import read_geometries
from symdiff.errors import UserError
from symdiff.storage.arrays import write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending

WRITE = (".sdf", ".xyz", ".extxyz", ".npz", ".png")


def read(path: str | Path, max_atoms: int = MAX_ATOMS) -> list[Geometry]:
    """Read all molecules of a file. Raises UserError for a file that cannot be read, and for a broken record."""
    geometries = []
    for record, geometry in read_geometries(path, max_atoms):
        if geometry is None:
            raise UserError(f"{path}: molecule {record.number}: {record.reason}")
        geometries.append(geometry)
    return geometries


def write(objs: Sequence, path: str | Path) -> None:
    """Write molecules to a file, by its ending.

    .xyz and .extxyz have no bonds. .npz: ``z`` (sum n,) uint8, ``pos`` (sum n, 3) float32 in angstrom and ``offsets`` (M + 1,) of the
    atoms, ``charge`` (sum n,) int8; where all bonds are known ``edges`` (sum E, 2), ``order`` (sum E,) and ``edge_offsets`` (M + 1,).

    Parameters
    ----------
    objs : sequence
        Whatever ``geometry_of`` reads; it is written as it stands.
    path : str or Path
        .sdf, .xyz, .extxyz, .npz or .png, which shows the first ones.

    Raises
    ------
    UserError
        For a molecule that the format cannot hold; nothing is written then.
    """
    suffix = ending(path, WRITE)
    geometries = []
    for place, obj in enumerate(objs, 1):
        try:
            geometries.append(geometry_of(obj, strict=False))
        except UserError as error:
            raise UserError(f"{path}: molecule {place}: {error}") from error
    if suffix == ".sdf":
        write_file(path, "".join(_block(geometry) for geometry in geometries))
    elif suffix == ".npz":
        write_npz(path, flat_arrays.pack(geometries))
    elif suffix == ".png":
        from symdiff.chemistry.geometry_picture import picture

        write_file(path, picture(geometries))
    else:
        write_file(path, "".join(xyz.write_block(geometry, extended=suffix == ".extxyz") for geometry in geometries))


def _block(geometry: Geometry) -> str:
    mol = to_rdkit(geometry)
    mol.UpdatePropertyCache(strict=False)
    if not np.isfinite(geometry.position).all():
        raise UserError("an .sdf file holds finite coordinates only, got others; write .npz or .extxyz")
    return f"{Chem.MolToMolBlock(mol, kekulize=False)}$$$$\n"
