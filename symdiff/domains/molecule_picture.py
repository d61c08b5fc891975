"""Molecules as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from symdiff.storage.atomic import write_file

MOST, COLUMNS, SIDE = 64, 8, 180


def draw(mols: Sequence[Chem.Mol], path: str | Path) -> None:
    """Draw molecules in a grid, what does not sanitize as it is: a .png file.

    Raises
    ------
    UserError
        Where it cannot be written.
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
    copy = Chem.Mol(mol)
    copy.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(copy)
    rdDepictor.Compute2DCoords(copy)
    return copy
