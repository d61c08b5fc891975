"""Molecules as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from symdiff.storage.atomic import write_file

MOST, COLUMNS, SIDE = 64, 8, 180
APART = 0.05
"""The least distance of two atoms that can be drawn, in angstroms."""


def draw(mols: Sequence[Chem.Mol], path: str | Path) -> None:
    """Draw the first molecules in a grid; those that do not sanitize as they are.

    Parameters
    ----------
    mols : sequence of rdkit.Chem.Mol
        At least one.
    path : str or Path
        A .png file, which is replaced.

    Raises
    ------
    UserError
        Where the file cannot be written.
    """
    shown = [_prepare(mol) for mol in mols[:MOST]]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    canvas = rdMolDraw2D.MolDraw2DCairo(columns * SIDE, rows * SIDE, SIDE, SIDE)
    canvas.drawOptions().prepareMolsBeforeDrawing = False
    canvas.DrawMolecules(shown)
    canvas.FinishDrawing()
    write_file(path, canvas.GetDrawingText())


def _prepare(mol: Chem.Mol) -> Chem.Mol:
    """A copy with coordinates: on a circle where RDKit lays two atoms of a dense graph on one place."""
    copy = Chem.Mol(mol)
    copy.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(copy)
    rdDepictor.Compute2DCoords(copy)
    places = copy.GetConformer().GetPositions()
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + np.eye(len(places))
    if apart.min(initial=1.0) < APART:
        angles = np.linspace(0, 2 * np.pi, len(places), endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1) * len(places) / 4
        copy.GetConformer().SetPositions(circle)
    return copy
