"""Structures in memory: which kind of samples they are, without their libraries being imported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.numbers import show
from symdiff_evaluation.core.sample_files import SampleFiles

ARRAYS = {
    "lattice": {"spins"},
    "molecule-graph": {"num_nodes", "edges", "element", "order"},
    "graph": {"num_nodes", "edges"},
    "molecule-3d": {"z", "pos"},
}
"""Arrays that a mapping of a kind holds at least; the first kind that fits counts."""
_LIBRARIES = {"rdkit": "molecule-graph", "networkx": "graph", "ase": "molecule-3d"}
_FILE = re.compile(
    r"\.(smi|smiles|txt|csv|tsv|sdf|mol|xyz|extxyz|npz|npy|safetensors|graphml|pkl|pt|cif)(\.gz)?\Z", re.IGNORECASE
)


def list_files(samples: object) -> SampleFiles | None:
    """List the files where samples are files.

    A path is a ``Path``, or text that ends like a file of samples; any other text is a SMILES.

    Parameters
    ----------
    samples : object
        Files or structures.

    Returns
    -------
    SampleFiles or None
        None for structures.

    Raises
    ------
    UserError
        For files among structures.
    """
    if isinstance(samples, SampleFiles):
        return samples
    some = [samples] if isinstance(samples, str | Path) else samples
    if not isinstance(some, Sequence):
        return None
    files = [one for one in some if _is_file(one)]
    if files and len(files) < len(some):
        raise UserError(f"expected files or structures, got both: {show(str(files[0]))} is a file")
    return SampleFiles(files) if files else None


def find_kind(samples: object) -> str:
    """Find the kind of structures in memory, without importing their libraries.

    Parameters
    ----------
    samples : object
        Structures, or a mapping of arrays.

    Returns
    -------
    str
        Name of the kind.

    Raises
    ------
    UserError
        For structures of no known kind, or of several.
    """
    if isinstance(samples, Mapping):
        for kind, needed in ARRAYS.items():
            if needed <= set(samples):
                return kind
        raise UserError(
            f"cannot tell what the arrays {', '.join(map(str, samples))[:200] or '(none)'} hold: say it with a protocol"
        )
    if (
        isinstance(samples, np.ndarray)
        and samples.dtype.kind in "if"
        and samples.ndim > 1
        and np.isin(samples, (-1, 1)).all()
    ):
        return "lattice"
    kinds = {_kind_of(one) for one in samples if one is not None}  # type: ignore[attr-defined]
    if len(kinds) != 1:
        raise UserError(
            f"expected structures of one kind, got {' and '.join(sorted(kinds)) or 'none'}: say which with a protocol"
        )
    return kinds.pop()


def _kind_of(structure: Any) -> str:
    if isinstance(structure, str):
        return "molecule-graph"
    if isinstance(structure, np.ndarray) and structure.ndim == 2 and structure.shape[0] == structure.shape[1]:
        return "graph"
    library = type(structure).__module__.partition(".")[0]
    for base in type(structure).__mro__:
        library = base.__module__.partition(".")[0]
        if library in _LIBRARIES:
            return _LIBRARIES[library]
    raise UserError(
        f"cannot evaluate a {type(structure).__module__}.{type(structure).__qualname__}: expected SMILES, RDKit "
        "molecules, networkx graphs,"
        " adjacency matrices, ASE atoms, or a mapping of arrays by name"
    )


def _is_file(one: object) -> bool:
    return isinstance(one, Path) or (isinstance(one, str) and _FILE.search(one) is not None)
