"""Stable atoms of a graph with explicit hydrogens: as many bonds as the element's valence.

Source of rule and table: Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022, and for
graphs Vignac et al., DiGress, ICLR 2023. Formal charges are not looked at, as there: a nitrogen with four bonds is not
stable.
"""

from __future__ import annotations

from contextlib import suppress

from rdkit import Chem

VALENCES: dict[str, tuple[int, ...]] = {
    "H": (1,), "B": (3,), "C": (4,), "N": (3,), "O": (2,), "F": (1,), "Al": (3,), "Si": (4,), "P": (3, 5), "S": (4,),
    "Cl": (1,), "As": (3,), "Se": (2, 4, 6), "Br": (1,), "I": (1,), "Hg": (1, 2), "Bi": (3, 5),
}  # fmt: skip


def count_stable(mol: Chem.Mol) -> tuple[int, int]:
    """Count the stable atoms of a molecule as written.

    Bonds are kekulized and summed; hydrogens that SMILES writes inside brackets count as bonds, implied ones do not. An
    atom with aromatic bonds that cannot be kekulized, and an element that the table lacks, is not stable.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        With explicit hydrogens, not sanitized.

    Returns
    -------
    tuple of int
        Number of stable atoms, and of all atoms.

    References
    ----------
    Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022.
    """
    mol = Chem.Mol(mol)
    with suppress(Chem.MolSanitizeException):  # aromatic bonds stay, and with them their atoms stay unstable
        Chem.Kekulize(mol, clearAromaticFlags=True)
    stable = 0
    for atom in mol.GetAtoms():
        bonds = atom.GetBonds()
        total = sum(bond.GetBondTypeAsDouble() for bond in bonds) + atom.GetNumExplicitHs()
        aromatic = any(bond.GetIsAromatic() for bond in bonds)
        stable += not aromatic and total in VALENCES.get(atom.GetSymbol(), ())
    return stable, mol.GetNumAtoms()
