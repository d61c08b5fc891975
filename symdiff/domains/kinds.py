"""What kind of structures a file holds: the same answer for training data and for samples."""

from __future__ import annotations

from pathlib import Path

from symdiff.domains import graph, molecule3d, molecule_files, spin_files
from symdiff.domains.file_kinds import AS_IT_IS, FileKind, Wanted
from symdiff.errors import UserError
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_headers

_KINDS: dict[str, FileKind] = {
    kind.name: kind for kind in (spin_files.KIND, molecule3d.KIND, graph.KIND, molecule_files.KIND)
}
"""In the order in which they are asked: the last one says what is wrong with a file that is of none."""


def register(kind: FileKind) -> None:
    """Let files be recognized as one more kind, which is asked before all others.

    Parameters
    ----------
    kind : FileKind
        Its name, and how its files are told from others.
    """
    others = dict(_KINDS)
    _KINDS.clear()
    _KINDS.update({kind.name: kind, **others})


def describe(name: str) -> str:
    """Tell what files of a kind hold.

    Parameters
    ----------
    name : str
        A kind, as ``recognize`` returns it.

    Returns
    -------
    str
        A noun in the plural.
    """
    return _KINDS[name].plural


def recognize(path: str | Path, wanted: Wanted = AS_IT_IS) -> str:
    """Tell the kind of structures by what a file holds.

    Parameters
    ----------
    path : str or Path
        A file of molecules, graphs or spins.
    wanted : Wanted
        How files are taken that could be of two kinds.

    Returns
    -------
    str
        "molecule-graph" (an SDF too, unless coordinates are wanted), "molecule-3d" (xyz, or arrays of atoms and
        positions), "graph", "lattice", or the name of a kind that was registered.

    Raises
    ------
    UserError
        For a file that is missing, damaged, or of none of these kinds.
    """
    path = Path(path)
    for kind in _KINDS.values():
        if kind.holds(path, wanted):
            return kind.name
    held = (
        f"the arrays {', '.join(sorted(read_headers(path)))[:200] or 'none'}"
        if path.name.lower().endswith(ARRAYS)
        else f"the ending {path.suffix!r}"
    )
    raise UserError(f"{path}: cannot tell what it holds, got {held}")
