"""The relaxed validity of DiGress: a positive charge may be added where a nitrogen or an oxygen has one bond too many.

Source: Vignac et al., DiGress, ICLR 2023, https://github.com/cvignac/DiGress, ``src/analysis/rdkit_functions.py``;
the rule goes back to GDSS (Jo, Lee, Hwang, ICML 2022).
"""

from __future__ import annotations

from rdkit import Chem

_USUAL = {7: 3, 8: 2, 16: 2}  # atomic number: valence that a charge of +1 may exceed by one


def add_charges(mol: Chem.Mol) -> Chem.Mol:
    """Rebuild an unsanitized molecule bond by bond, adding charges as DiGress does.

    The bonds (i, j), i < j, are added in lexicographic order, aromatic ones kekulized before. After each bond RDKit's
    valence check runs; if the *first* atom that it rejects is N, O or S and its valence is exactly one above 3, 2, 2,
    that atom's formal charge becomes +1. Whatever else is wrong stays wrong. (Sulfur never qualifies: RDKit allows it
    six.)

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        As written, not sanitized.

    Returns
    -------
    rdkit.Chem.Mol
        The molecule with charges, not sanitized.

    Raises
    ------
    rdkit.Chem.KekulizeException
        Where aromatic bonds have no Kekule structure.

    References
    ----------
    Vignac et al., DiGress: Discrete Denoising diffusion for graph generation, ICLR 2023.
    """
    mol = Chem.RWMol(mol)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    bonds = sorted(
        (min(b.GetBeginAtomIdx(), b.GetEndAtomIdx()), max(b.GetBeginAtomIdx(), b.GetEndAtomIdx()), b.GetBondType())
        for b in mol.GetBonds()
    )
    for i, j, _ in bonds:
        mol.RemoveBond(i, j)
    valence = [0.0] * mol.GetNumAtoms()
    for i, j, kind in bonds:
        mol.AddBond(i, j, kind)
        for end in (i, j):
            valence[end] += mol.GetBondBetweenAtoms(i, j).GetBondTypeAsDouble()
        problems = Chem.DetectChemistryProblems(mol, sanitizeOps=Chem.SANITIZE_PROPERTIES)
        if not problems:
            continue
        atom = mol.GetAtomWithIdx(problems[0].GetAtomIdx())
        total = valence[atom.GetIdx()] + atom.GetNumExplicitHs()
        if total - _USUAL.get(atom.GetAtomicNum(), total) == 1:
            atom.SetFormalCharge(1)
    return mol.GetMol()
