"""PoseBusters' checks of single molecules; needs the package ``posebusters``.

Source: Buttenschoen, Morris, Deane, PoseBusters: AI-based docking methods fail to generate physically valid poses,
Chem. Sci. 15 (2024).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from rdkit import rdBase

from symdiff.errors import UserError
from symdiff.storage.records import Broken
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.molecules3d.perception import Undecided, check_complete, find_molecule

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms


def require() -> None:
    """Check that the package ``posebusters`` is installed.

    Raises
    ------
    UserError
        Where it is missing.
    """
    if find_spec("posebusters") is None:
        raise UserError("poses: needs the package posebusters: pip install 'symdiff-torch[poses]'")


def run_checks(geometry: PlacedAtoms) -> dict[str, bool] | Undetermined:
    """Run the checks of PoseBusters' configuration "mol".

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    dict of str to bool, or Undetermined
        Each check by its name; empty where the geometry is no molecule by perceived bonds.

    References
    ----------
    Buttenschoen, Morris, Deane, PoseBusters: AI-based docking methods fail to generate physically valid poses or
    generalise to novel sequences, Chem. Sci. 15 (2024).
    """
    from posebusters import PoseBusters  # pyright: ignore[reportMissingImports]  # an extra

    with rdBase.BlockLogs():
        try:
            mol = find_molecule(geometry)
            check_complete(mol)
        except Broken:
            return {}
        except Undecided as error:
            return Undetermined(str(error))
        table = PoseBusters(config="mol").bust([mol], full_report=False)
    row = {str(name): value for name, value in table.iloc[0].items()}
    # a check that PoseBusters could not make has neither value
    unmade = [name for name, value in row.items() if value not in (True, False)]
    if unmade and all(value for name, value in row.items() if name not in unmade):
        return Undetermined(f"check {unmade[0]}")
    return {name: bool(value) for name, value in row.items() if name not in unmade}
