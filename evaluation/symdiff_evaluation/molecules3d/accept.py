"""Molecules in 3D in memory.

ASE atoms, RDKit molecules with a conformer, pairs of atomic numbers and positions, or flat arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.boundary import describe
from symdiff.storage.records import Record
from symdiff_evaluation.molecules3d.read import from_columns
from symdiff_evaluation.molecules3d.samples import Geometries, collect


def accept(structures: Iterable[Any] | Mapping[str, np.ndarray], place: str = "list") -> Geometries:
    """Make a set of structures in memory, in ångström.

    Parameters
    ----------
    structures : iterable, or mapping of str to numpy.ndarray
        ASE atoms, RDKit molecules with a conformer, pairs of atomic numbers (n,) and positions (n, 3); or the arrays of
        a file. What is none of them is a broken record.
    place : str
        What stands for the name of a file.

    Returns
    -------
    Geometries
        In the order of the structures.

    Raises
    ------
    UserError
        For arrays that do not fit together.
    """
    if isinstance(structures, Mapping):
        return from_columns({name: np.asarray(array) for name, array in structures.items()}, place)
    records, pairs, charges = [], [], []
    for number, structure in enumerate(structures, 1):
        reason, atoms, charge = "", None, 0
        try:
            numbers, positions, charge = _read(structure)
            atoms = numbers, positions
        except Exception as error:  # a library raises whatever a molecule leads it to: it costs this record alone
            reason = str(error) if isinstance(error, UserError) else f"error: {describe(error)}"
        records.append(Record(place, number, "", "geometry", reason))
        pairs.append(atoms)
        charges.append(charge)
    return collect(records, pairs, charges)


def _read(structure: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Atomic numbers (n,), positions (n, 3) and the total charge."""
    if structure is None:
        raise UserError("empty: no molecule")
    if hasattr(structure, "get_positions"):  # ASE's atoms
        if np.any(structure.pbc):
            raise UserError("periodic: a crystal is no molecule")
        charge = structure.info.get("charge", structure.info.get("total_charge", 0))
        return np.asarray(structure.numbers), np.asarray(structure.get_positions(), np.float64), int(charge)
    if hasattr(structure, "GetConformer"):
        if not structure.GetNumConformers():
            raise UserError("flat: the molecule has no conformer")
        numbers = np.array([atom.GetAtomicNum() for atom in structure.GetAtoms()])
        return (
            numbers,
            structure.GetConformer().GetPositions(),
            sum(atom.GetFormalCharge() for atom in structure.GetAtoms()),
        )
    numbers, positions = (np.asarray(part) for part in structure)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or positions.shape != (len(numbers), 3):
        raise UserError(
            f"syntax: expected atomic numbers (n,) and positions (n, 3), got {numbers.dtype} {numbers.shape} and "
            f"{positions.shape}"
        )
    if len(numbers) and not (0 <= numbers.min() and numbers.max() <= 255):
        raise UserError(f"element: the atomic number {numbers.max()}")
    return numbers, positions.astype(np.float64), 0
