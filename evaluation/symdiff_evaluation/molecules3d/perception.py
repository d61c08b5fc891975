"""Molecules from geometries: perceived bonds, hands, and what RDKit's default settings say.

Bonds are those of ``symdiff.chemistry.perception``, which reads training data, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rdkit import Chem, rdBase

from symdiff.chemistry import perception
from symdiff.chemistry.bonding import Undecided
from symdiff.chemistry.parse import canonical, explain, flatten
from symdiff.storage.records import Broken
from symdiff_evaluation.core.limits import Undetermined

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms


@dataclass(frozen=True)
class PerceivedMolecule:
    """One geometry as a molecule.

    Parameters
    ----------
    canonical : str, optional
        Flat canonical SMILES of its one component; None where there is a reason.
    reason : str
        Why it is no valid molecule, else "".
    stereo : str
        Canonical SMILES with stereo read from the geometry.
    mirrored : str
        That of its mirror image; it differs where the configuration is chiral.
    rights, lefts : int
        Number of stereo centers R and S.
    bonds : numpy.ndarray, (b, 3), optional
        Atoms i < j and the order (1, 2, 3, 4: aromatic).
    default : str, optional
        The SMILES by RDKit's default settings, of any number of components; None where it finds no molecule,
        ``Undetermined`` where its search ran out.
    """

    canonical: str | None
    reason: str
    stereo: str = ""
    mirrored: str = ""
    rights: int = 0
    lefts: int = 0
    bonds: np.ndarray | None = None
    default: str | None = None

    @property
    def chiral(self) -> bool:
        """Whether the configuration differs from its mirror image's."""
        return self.stereo != self.mirrored


def perceive(geometry: PlacedAtoms) -> PerceivedMolecule | Undetermined:
    """Find what molecule a geometry is.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    PerceivedMolecule or Undetermined
        With a reason where it is none; ``Undetermined`` where that could not be decided.
    """
    with rdBase.BlockLogs():
        default = _by_default(geometry)
        try:
            mol = find_molecule(geometry)
        except Broken as error:
            return PerceivedMolecule(None, str(error), default=default)
        except Undecided as error:
            return Undetermined(str(error))
        bonds = _bonds(mol)
        try:
            check_complete(mol)
            name = canonical(flatten(mol))
            stereo, mirrored, rights, lefts = _hands(mol)
        except Broken as error:
            return PerceivedMolecule(None, str(error), bonds=bonds, default=default)
        except Chem.MolSanitizeException as error:  # RDKit accepts some exotic rings once, but not a second time
            return PerceivedMolecule(None, str(explain(error)), default=default)
        return PerceivedMolecule(name, "", stereo, mirrored, rights, lefts, bonds, default)


def find_molecule(geometry: PlacedAtoms) -> Chem.Mol:
    """Find the sanitized molecule with its hydrogens and its conformer, of any number of components.

    Parameters
    ----------
    geometry : PlacedAtoms
        The geometry.

    Returns
    -------
    rdkit.Chem.Mol
        The molecule.

    Raises
    ------
    Broken
        Where it is none.
    Undecided
        Where the search ran out.
    """
    return perception.molecule(geometry.numbers, geometry.positions, geometry.charge)


def check_complete(mol: Chem.Mol) -> None:
    """Check that a molecule is one component without unpaired electrons.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        The molecule.

    Raises
    ------
    Broken
        Where it is not.
    """
    if (components := len(Chem.GetMolFrags(mol))) > 1:
        raise Broken(f"fragments: {components} components")
    if unpaired := sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        raise Broken(f"radical: {unpaired} unpaired electrons")


def _by_default(geometry: PlacedAtoms) -> str | Undetermined | None:
    try:
        return canonical(flatten(perception.molecule_by_rdkit(geometry.numbers, geometry.positions, geometry.charge)))
    except (Broken, Chem.MolSanitizeException):
        return None
    except Undecided as error:
        return Undetermined(str(error))


def _bonds(mol: Chem.Mol) -> np.ndarray:
    rows = []
    for bond in mol.GetBonds():
        order = 4 if bond.GetIsAromatic() else int(bond.GetBondTypeAsDouble())
        rows.append((*sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())), order))
    return np.array(sorted(rows), np.int32).reshape(-1, 3)


def _hands(mol: Chem.Mol) -> tuple[str, str, int, int]:
    """Stereo SMILES of the geometry and of its mirror image, and its centers R and S."""
    names, centers = [], []
    for sign in (1, -1):
        image = Chem.Mol(mol)
        image.GetConformer().SetPositions(np.ascontiguousarray(mol.GetConformer().GetPositions() * [1, 1, sign]))
        Chem.AssignStereochemistryFrom3D(image)
        centers.append([label for _, label in Chem.FindMolChiralCenters(image, useLegacyImplementation=False)])
        names.append(Chem.MolToSmiles(Chem.RemoveHs(image)))
    return names[0], names[1], centers[0].count("R"), centers[0].count("S")
