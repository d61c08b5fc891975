"""Files of molecules in 3D as samples, by the readers of ``symdiff.chemistry``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from symdiff.chemistry import flat_arrays
from symdiff.chemistry.formats import ENDINGS as TEXT
from symdiff.chemistry.geometry import Geometry
from symdiff.chemistry.reading import read_geometries
from symdiff.storage.records import Record
from symdiff_evaluation.molecules3d.samples import Geometries, collect

ENDINGS = (*(ending for ending, form in TEXT.items() if form in ("xyz", "sdf")), ".npz", ".safetensors")


def read(path: str | Path) -> Geometries:
    """Read the molecules of a file, in angstrom.

    Parameters
    ----------
    path : str or Path
        .xyz, .extxyz or .sdf, gzipped or not, recognized by what it holds; .npz or .safetensors with ``offsets``,
        ``z``, ``pos`` and perhaps ``charge``.

    Returns
    -------
    Geometries
        A broken record keeps its place and a reason. Bonds that a file has are left alone: what is judged are the
        places of atoms.

    Raises
    ------
    UserError
        For a file that is missing, damaged, or of another kind.
    """
    return _gather(read_geometries(path, bonds=False))


def from_columns(arrays: Mapping[str, np.ndarray], place: str) -> Geometries:
    """Make a set of the arrays of a file.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        ``offsets``, ``z``, ``pos`` and perhaps ``charge``.
    place : str
        Name of the file.

    Returns
    -------
    Geometries
        The molecules.

    Raises
    ------
    UserError
        Where the arrays do not fit together.
    """
    return _gather(flat_arrays.read(arrays, place, bonds=False))


def _gather(entries: Iterable[tuple[Record, Geometry | None]]) -> Geometries:
    records, atoms, charges = [], [], []
    for record, geometry in entries:
        records.append(record)
        atoms.append(None if geometry is None else (geometry.element, geometry.position))
        charges.append(0 if geometry is None else geometry.total)
    return collect(records, atoms, charges)
