"""What kind of structures a file holds: the same answer for training data and for samples."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from symdiff.chemistry import formats
from symdiff.domains.molecule_graphs import holds_molecules
from symdiff.domains.spin_files import holds_spins
from symdiff.errors import UserError
from symdiff.graphs import files as graph_files
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_headers

Kind = Literal["molecule-graph", "molecule-3d", "graph", "lattice"]


def recognize(path: str | Path) -> Kind:
    """Tell the kind of structures by what a file holds.

    Parameters
    ----------
    path : str or Path
        A file of molecules, graphs or spins.

    Returns
    -------
    str
        "molecule-graph" (an SDF too), "molecule-3d" (xyz, or arrays of atoms and positions), "graph" or "lattice".

    Raises
    ------
    UserError
        For a file that is missing, damaged, or of none of these kinds.
    """
    path = Path(path)
    if path.name.lower().endswith(ARRAYS):
        return _recognize_arrays(path)
    if path.is_file() and graph_files.recognize(path) is not None:
        return "molecule-graph" if holds_molecules(path) else "graph"
    return "molecule-3d" if formats.recognize(path) == "xyz" else "molecule-graph"


def _recognize_arrays(path: Path) -> Kind:
    names = read_headers(path).keys()
    if holds_spins(path):
        return "lattice"
    if {"z", "pos"} <= names:
        return "molecule-3d"
    if graph_files.recognize(path) is not None:
        return "molecule-graph" if holds_molecules(path) else "graph"
    raise UserError(f"{path}: cannot tell what it holds, got the arrays {', '.join(sorted(names))[:200] or 'none'}")
