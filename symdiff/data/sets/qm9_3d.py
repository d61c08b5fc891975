"""QM9 in 3D: its geometries, with the bonds and charges that their SMILES say, and a property as a condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.chemistry.geometry import Geometry
from symdiff.chemistry.matching import match
from symdiff.data.dataset import Dataset
from symdiff.data.geometries import geometries
from symdiff.data.parsing import Progress
from symdiff.data.sets.qm9 import TITLE, smiles_table
from symdiff.data.sources import local, origin
from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays

EXCLUDED = 255
_REPORT = 500


COLUMNS = {"mu": ("mu_D", "D", 1.0), "alpha": ("alpha_a03", "a0^3", 1.0), "gap": ("gap_Ha", "eV", 27.211386245988)}
"""Dipole moment, polarizability, gap between the frontier orbitals.

The column of QM9's table, the unit, and what it is multiplied by.
"""


def qm9(progress: Progress = None, given: str | None = None) -> Dataset:
    """Open the characterized molecules of QM9 with B3LYP geometries, all hydrogens, in the split of EDM.

    The files have no bonds: those of the GDB SMILES are laid over the geometry, and a molecule is left out, and
    counted, where that cannot be done: where it rearranged as it was relaxed, for the most part.

    Parameters
    ----------
    progress : callable, optional
        Called with how many molecules were matched now, and how many there are.
    given : str, optional
        A property (a key of ``COLUMNS``) that every molecule comes with, as a condition.

    Returns
    -------
    Dataset
        Of a ``Molecule3D``.

    Raises
    ------
    UserError
        Where a file is missing or damaged.

    References
    ----------
    Ramakrishnan, Dral, Rupp, von Lilienfeld: Quantum Chemistry Structures and Properties of 134 Kilo Molecules
    (Scientific Data 1, 2014).
    """
    paths = [local("qm9", name) for name in ("qm9_geom.npz", "qm9_smiles.csv.gz")]
    geometry, smiles = read_arrays(paths[0]), [text for text, _ in smiles_table(paths[1])]
    missing = {"z", "pos", "offsets", "edm_split"} - set(geometry)
    if missing:
        raise UserError(f"{paths[0]}: the array {sorted(missing)[0]!r} is missing")
    if len(geometry["offsets"]) != len(smiles) + 1 or len(geometry["edm_split"]) != len(smiles):
        raise UserError(f"{paths[0]}: expected {len(smiles)} molecules, as {paths[1].name} has")
    rows = np.nonzero(geometry["edm_split"] != EXCLUDED)[0]
    values = None if given is None else {given: _column(paths, given, len(smiles))[rows]}
    entries = match_all([smiles[k] for k in rows], geometry, rows, progress)
    meta = {
        "name": "qm9-3d" if given is None else f"qm9-3d-{given}",
        "source": origin(TITLE, paths),
        "rows": len(smiles),
        "left_out": {"uncharacterized": len(smiles) - len(rows)},
    }
    return geometries(
        entries,
        geometry["edm_split"][rows],
        meta,
        max_nodes=64,
        values=values,
        units={name: unit for name, (_, unit, _) in COLUMNS.items()},
    )


def _column(paths: list[Path], given: str, count: int) -> np.ndarray:
    """A property of all molecules, (count,), in its unit; its file joins ``paths``. Raises UserError."""
    paths.append(local("qm9", "qm9_props.npz"))
    table = read_arrays(paths[-1])
    name, _, factor = COLUMNS[given]
    if not {"props", "names"} <= set(table) or name not in table["names"].tolist() or len(table["props"]) != count:
        raise UserError(f"{paths[-1]}: expected the arrays names, with {name}, and props of {count} molecules")
    return table["props"][:, table["names"].tolist().index(name)] * factor


def match_all(
    smiles: Sequence[str], geometry: Mapping[str, np.ndarray], rows: np.ndarray, progress: Progress = None
) -> Iterable[Geometry | UserError]:
    """Lay the bonds of SMILES over geometries, one after another.

    Parameters
    ----------
    smiles : sequence of str
        One for each of ``rows``.
    geometry : mapping of str to ndarray
        ``z``, ``pos`` (in ångström) and ``offsets`` of all molecules, as qm9_geom.npz has them.
    rows : ndarray
        Which molecules.
    progress : callable, optional
        Called with how many were matched now, and how many there are.

    Yields
    ------
    Geometry or UserError
        The next molecule, or the reason why there is none.
    """
    z, pos, stops = geometry["z"], geometry["pos"], geometry["offsets"]
    for place, (text, k) in enumerate(zip(smiles, rows.tolist(), strict=True), 1):
        part = slice(stops[k], stops[k + 1])
        try:
            yield match(text, z[part], pos[part].astype(np.float64))
        except UserError as error:
            yield error
        if progress is not None and (place % _REPORT == 0 or place == len(rows)):
            progress(place % _REPORT or _REPORT, len(rows))
