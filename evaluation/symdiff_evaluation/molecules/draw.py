"""Pictures of molecules, by RDKit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem, rdBase
from rdkit.Chem import rdCoordGen, rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from symdiff.errors import UserError
from symdiff.storage.atomic import write_file

_LARGE_RING = 24


def draw_svg(smiles: str, width: int = 170, height: int = 130) -> str:
    """Draw one molecule as an inline SVG without background.

    Parameters
    ----------
    smiles : str
        A valid molecule.
    width, height : int
        In pixels.

    Returns
    -------
    str
        Empty where RDKit cannot draw it.
    """
    try:
        return _svg(smiles, width, height)
    except Exception:  # RDKit raises whatever a molecule leads it to, and a report needs no picture
        return ""


def _svg(smiles: str, width: int, height: int) -> str:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return ""
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height)
    _style(canvas.drawOptions())
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, _lay_out(mol))
    canvas.FinishDrawing()
    text = canvas.GetDrawingText()
    # inside HTML neither the XML declaration nor the namespaces are needed
    text = re.sub(r"\s*xmlns(:\w+)?='[^']*'|\s*xml:space='[^']*'|<\?xml[^>]*\?>|<!--.*?-->", "", text, flags=re.S)
    return " ".join(text.split())


def draw_grid(
    mols: Sequence[Chem.Mol | str], path: str | Path, columns: int = 5, legends: Sequence[str] | None = None
) -> Path:
    """Draw a grid of molecules; what cannot be sanitized is drawn as it is.

    Parameters
    ----------
    mols : sequence of rdkit.Chem.Mol or str
        Molecules or SMILES.
    path : str or Path
        The file to write, .png or .svg.
    columns : int
        Number of molecules a row.
    legends : sequence of str, optional
        A line below each molecule.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        For another ending, for no molecule, and for text that is no SMILES.
    """
    path = Path(path)
    if path.suffix not in (".png", ".svg"):
        raise UserError(f"{path}: expected a picture ending in .png or .svg, got {path.suffix!r}")
    if not mols:
        raise UserError(f"{path}: there is no molecule to draw")
    prepared = [_lay_out(_drawable(mol)) for mol in mols]
    columns = min(columns, len(prepared))
    side, rows = 200, -(-len(prepared) // columns)
    kind = rdMolDraw2D.MolDraw2DSVG if path.suffix == ".svg" else rdMolDraw2D.MolDraw2DCairo
    canvas = kind(columns * side, rows * side, side, side)
    options = canvas.drawOptions()
    _style(options)
    options.clearBackground = True
    options.prepareMolsBeforeDrawing = False  # what does not sanitize is drawn too
    options.drawMolsSameScale = False  # one strained cage would make all others small
    canvas.DrawMolecules(prepared, legends=list(legends or [""] * len(prepared)))
    canvas.FinishDrawing()
    content = canvas.GetDrawingText()
    write_file(path, content, parents=True)
    return path


def _drawable(mol: Chem.Mol | str) -> Chem.Mol:
    if isinstance(mol, Chem.Mol):
        mol = Chem.Mol(mol)
    else:
        params = Chem.SmilesParserParams()
        params.sanitize = False
        text = mol
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(text, params)
        if mol is None:
            raise UserError(f"cannot draw {text!r}: expected SMILES")
    with rdBase.BlockLogs():
        failed = Chem.SanitizeMol(mol, catchErrors=True)
    if not failed:
        return rdMolDraw2D.PrepareMolForDrawing(mol)
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    return mol


def _lay_out(mol: Chem.Mol) -> Chem.Mol:
    # RDKit's own layout folds small cages onto themselves; CoordGen takes a second for a ring of 36, twice that for two
    # atoms more
    if max(map(len, mol.GetRingInfo().AtomRings()), default=0) > _LARGE_RING:
        rdDepictor.Compute2DCoords(mol)
    else:
        rdCoordGen.AddCoords(mol)
    rdDepictor.NormalizeDepiction(mol)
    rdDepictor.StraightenDepiction(mol)
    return mol


def _style(options: rdMolDraw2D.MolDrawOptions) -> None:
    options.clearBackground = False
    options.bondLineWidth = 1.6
    options.padding = 0.12
    options.fixedBondLength = 30
    options.minFontSize = 11
