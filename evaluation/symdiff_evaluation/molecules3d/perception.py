"""Bonds of a geometry by perception: RDKit's rdDetermineBonds with a bound on its search, strict and as it comes.

Source of method: Kim and Kim, Universal Structure Conversion Method for Organic Molecules, Bull. Korean Chem. Soc. 36 (2015), as RDKit has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDetermineBonds

from symdiff_evaluation.core.limited import Undetermined
from symdiff_evaluation.molecules.chemistry import Broken, broken, canonical, flat, sanitized

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import Geometry

ITERATIONS = 10_000
FACTOR = 1.15  # of the sum of covalent radii: up to there two atoms are bonded
DEFAULT_FACTOR = 1.3  # RDKit's own: it bonds atoms across small rings, 5 % of QM9's molecules then have no valence


@dataclass(frozen=True)
class Perceived:
    """One geometry as a molecule. ``canonical``: flat canonical SMILES of its one component, else None with a ``reason``.

    ``stereo``: canonical SMILES with stereo read from the geometry, and ``mirrored`` that of its mirror image: they differ where the
    configuration is chiral. ``rights`` and ``lefts``: stereo centers R and S. ``bonds`` (b, 3): atoms i < j and the order (1, 2, 3, 4: aromatic).
    ``default``: the SMILES by RDKit's default settings, of any number of components; None where it finds no molecule,
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
        return self.stereo != self.mirrored


def perceive(geometry: Geometry) -> Perceived | Undetermined:
    """What molecule a geometry is: its reason where it is none, ``Undetermined("iterations")`` where the search ran out."""
    with rdBase.BlockLogs():
        default = _by_default(geometry)
        try:
            mol = molecule(geometry)
        except Broken as error:
            return Perceived(None, str(error), default=default)
        except RanOut:
            return Undetermined("iterations")
        bonds = _bonds(mol)
        try:
            complete(mol)
            name = canonical(flat(mol))
            stereo, mirrored, rights, lefts = _hands(mol)
        except Broken as error:
            return Perceived(None, str(error), bonds=bonds, default=default)
        except Chem.MolSanitizeException as error:  # RDKit accepts some exotic rings once, but not a second time
            return Perceived(None, str(broken(error)), default=default)
        return Perceived(name, "", stereo, mirrored, rights, lefts, bonds, default)


class RanOut(RuntimeError):
    """The search for bond orders took more than ``ITERATIONS`` steps."""


def molecule(geometry: Geometry, factor: float = FACTOR) -> Chem.Mol:
    """The sanitized molecule with its hydrogens and its conformer, of any number of components. Raises ``Broken`` or ``RanOut``."""
    mol = Chem.RWMol()
    for number in geometry.numbers.tolist():
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    conformer = Chem.Conformer(len(geometry.numbers))
    conformer.SetPositions(np.ascontiguousarray(geometry.positions))
    mol.AddConformer(conformer)
    try:
        rdDetermineBonds.DetermineBonds(mol, charge=geometry.charge, useVdw=True, covFactor=factor, maxIterations=ITERATIONS)
    except RuntimeError as error:
        if str(error).startswith("Max Iterations"):
            raise RanOut from error
        raise Broken(f"perception: {' '.join(str(error).split())[:200]}") from error
    except Chem.MolSanitizeException as error:
        raise broken(error) from error
    except ValueError as error:
        told = " ".join(str(error).split())
        raise Broken(f"{'charge' if told.startswith('Final molecular charge') else 'valence'}: {told}") from error
    return sanitized(mol)


def complete(mol: Chem.Mol) -> None:
    """Raises ``Broken`` for several components and for unpaired electrons."""
    if (components := len(Chem.GetMolFrags(mol))) > 1:
        raise Broken(f"fragments: {components} components")
    if unpaired := sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        raise Broken(f"radical: {unpaired} unpaired electrons")


def _by_default(geometry: Geometry) -> str | None:
    try:
        return canonical(flat(molecule(geometry, DEFAULT_FACTOR)))
    except (Broken, Chem.MolSanitizeException):
        return None
    except RanOut:
        return Undetermined("iterations")


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
