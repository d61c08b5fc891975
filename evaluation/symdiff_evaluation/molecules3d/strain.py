"""Strain: how much energy a geometry loses when MMFF94s relaxes it to the nearest minimum.

Source of force field: Halgren, MMFF VI: MMFF94s option for energy minimization studies, J. Comput. Chem. 20 (1999), as
RDKit has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rdkit import rdBase
from rdkit.Chem import rdForceFieldHelpers as fields

from symdiff.storage.records import Broken
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.molecules3d.perception import Undecided, check_complete, find_molecule

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms

STEPS = 2_000


@dataclass(frozen=True)
class Strain:
    """What relaxing a geometry to the nearest minimum gives.

    Parameters
    ----------
    energy : float, optional
        In kcal/mol; None where there is a reason.
    shift : float, optional
        RMSD of the atoms in ångström; None where there is a reason.
    atoms : int
        Number of atoms.
    reason : str
        Why there is no value, else "".
    """

    energy: float | None
    shift: float | None
    atoms: int
    reason: str = ""


def measure_strain(geometry: PlacedAtoms) -> Strain | Undetermined:
    """Measure the strain of a geometry with MMFF94s and the bonds perceived in it.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    Strain or Undetermined
        Without a value for what is no molecule or has atoms that MMFF94s lacks; ``Undetermined("steps")`` where the
        minimum was not reached.

    References
    ----------
    Halgren, MMFF VI. MMFF94s option for energy minimization studies, J. Comput. Chem. 20 (1999).
    """
    atoms = len(geometry.numbers)
    with rdBase.BlockLogs():
        try:
            mol = find_molecule(geometry)
            check_complete(mol)
        except Broken as error:
            return Strain(None, None, atoms, str(error))
        except Undecided as error:
            return Undetermined(str(error))
        properties = fields.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94s")
        if properties is None:
            return Strain(None, None, atoms, "type: MMFF94s lacks an atom")
        if atoms == 1:
            return Strain(0.0, 0.0, 1)
        field = fields.MMFFGetMoleculeForceField(mol, properties)
        field.Initialize()
        before = field.CalcEnergy()
        if not np.isfinite(before):
            return Strain(None, None, atoms, "energy: not finite")
        if field.Minimize(maxIts=STEPS):
            return Undetermined("steps")
        return Strain(
            max(before - field.CalcEnergy(), 0.0), rmsd(geometry.positions, mol.GetConformer().GetPositions()), atoms
        )


def rmsd(before: np.ndarray, after: np.ndarray) -> float:
    """Compute the RMSD after the best rotation and translation (Kabsch).

    Parameters
    ----------
    before, after : numpy.ndarray, (n, 3)
        Positions, in ångström.

    Returns
    -------
    float
        In ångström.
    """
    before, after = before - before.mean(0), after - after.mean(0)
    left, values, right = np.linalg.svd(before.T @ after)
    values[-1] *= np.sign(np.linalg.det(left) * np.linalg.det(right))
    return float(np.sqrt(max((before**2).sum() + (after**2).sum() - 2 * values.sum(), 0.0) / len(before)))
