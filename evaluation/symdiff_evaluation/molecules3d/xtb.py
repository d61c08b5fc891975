"""Strain by quantum mechanics: how much GFN2-xTB relaxes a geometry; needs the package ``tblite``.

Source of method: Bannwarth, Ehlert, Grimme, GFN2-xTB, J. Chem. Theory Comput. 15 (2019).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from rdkit import rdBase
from scipy.optimize import minimize

from symdiff.errors import UserError
from symdiff.storage.records import Broken
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.molecules3d.perception import Undecided, check_complete, find_molecule
from symdiff_evaluation.molecules3d.strain import Strain, rmsd

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms

BOHR = 0.529177210903  # angstrom
HARTREE = 627.5094740631  # kcal/mol
HEAVIEST = 86  # atomic number of the last element with parameters
_STEPS = 500
_FORCE = 1e-3  # hartree per bohr: the largest component at a minimum


def require() -> None:
    """Check that the package ``tblite`` is installed.

    Raises
    ------
    UserError
        Where it is missing.
    """
    if find_spec("tblite") is None:
        raise UserError("strain.xtb: needs the package tblite: pip install 'symdiff-torch[xtb]'")


def relax(geometry: PlacedAtoms) -> Strain | Undetermined:
    """Measure the strain of a geometry with GFN2-xTB, with its total charge and the lowest spin.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    Strain or Undetermined
        Without a value for what is no molecule by perceived bonds; ``Undetermined("steps")`` where no minimum was
        reached, ``Undetermined("energy")`` where the electrons did not converge.

    References
    ----------
    Bannwarth, Ehlert, Grimme, GFN2-xTB: An Accurate and Broadly Parametrized Self-Consistent Tight-Binding Quantum
    Chemical Method, J. Chem. Theory Comput. 15 (2019).
    """
    atoms = len(geometry.numbers)
    with rdBase.BlockLogs():
        try:
            check_complete(find_molecule(geometry))
        except Broken as error:
            return Strain(None, None, atoms, str(error))
        except Undecided as error:
            return Undetermined(str(error))
    if geometry.numbers.max() > HEAVIEST:
        return Strain(None, None, atoms, "type: GFN2-xTB lacks an element")
    if atoms == 1:
        return Strain(0.0, 0.0, 1)
    start = geometry.positions / BOHR
    try:
        surface = _surface(geometry, start)
        before = surface(start.ravel())[0]
        # ftol only guards against an endless search: forces decide
        minimum = minimize(
            surface,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _STEPS, "gtol": _FORCE, "ftol": 1e-12},
        )
    except RuntimeError:
        return Undetermined("energy")
    if not minimum.success:
        return Undetermined("steps")
    return Strain(
        max(before - float(minimum.fun), 0.0) * HARTREE, rmsd(start * BOHR, minimum.x.reshape(-1, 3) * BOHR), atoms
    )


def _surface(geometry: PlacedAtoms, start: np.ndarray):
    """The energy in hartree and its gradient (3 n,) in hartree per bohr, of positions (3 n,) in bohr."""
    from tblite.interface import Calculator  # pyright: ignore[reportMissingImports]  # an extra

    unpaired = (int(geometry.numbers.sum(dtype=np.int64)) - geometry.charge) % 2
    calculator = Calculator(
        "GFN2-xTB", geometry.numbers.astype(np.int64), start, charge=float(geometry.charge), uhf=unpaired
    )
    calculator.set("verbosity", 0)

    def surface(flat: np.ndarray) -> tuple[float, np.ndarray]:
        calculator.update(flat.reshape(-1, 3))
        result = calculator.singlepoint()
        return float(result.get("energy")), result.get("gradient").ravel()

    return surface
