"""EDM's rule: bonds of a geometry from distances alone, and what is stable and valid by them.

Source of rule: Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022. Bond lengths: typical
ones of organic chemistry, as that paper takes them from wiredchemist.com, "Common Bond Energies and Bond Lengths".
Distances in angstrom, the tables in pm.
"""

from __future__ import annotations

import numpy as np
from rdkit import Chem, rdBase

VALENCES = {1: 1, 6: 4, 7: 3, 8: 2, 9: 1}  # H C N O F, the elements of QM9
MARGINS = (10, 5, 3)  # pm, of single, double and triple bonds
LENGTHS: tuple[dict[tuple[int, int], int], ...] = (
    {
        (1, 1): 74, (1, 6): 109, (1, 7): 101, (1, 8): 96, (1, 9): 92, (6, 6): 154, (6, 7): 147, (6, 8): 143,
        (6, 9): 135, (7, 7): 145, (7, 8): 140, (7, 9): 136, (8, 8): 148, (8, 9): 142, (9, 9): 142,
    },
    {(6, 6): 134, (6, 7): 129, (6, 8): 120, (7, 7): 125, (7, 8): 121, (8, 8): 121},
    {(6, 6): 120, (6, 7): 116, (6, 8): 113, (7, 7): 110},
)  # fmt: skip


def _limits() -> np.ndarray:
    limits = np.zeros((3, 10, 10))
    for order, (lengths, margin) in enumerate(zip(LENGTHS, MARGINS, strict=True)):
        for (a, b), length in lengths.items():
            limits[order, a, b] = limits[order, b, a] = length + margin
    return limits


_LIMITS = _limits()


def covers(numbers: np.ndarray) -> bool:
    """Tell whether the tables have every element.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.

    Returns
    -------
    bool
        Whether all are H, C, N, O or F.
    """
    return set(np.unique(numbers).tolist()) <= VALENCES.keys()


def find_bond_orders(numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Find the bond order of each pair of atoms: the highest whose length plus margin exceeds the distance, all lower
    ones doing so too.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    positions : numpy.ndarray, (n, 3)
        In ångström.

    Returns
    -------
    numpy.ndarray, (n, n) int
        0 to 3.

    Raises
    ------
    ValueError
        For an element that the tables lack.

    References
    ----------
    Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022.
    """
    if not covers(numbers):
        raise ValueError(f"EDM's tables know H, C, N, O and F, got the atomic numbers {sorted(set(numbers.tolist()))}")
    positions = np.asarray(positions, np.float64)
    distances = 100 * np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    below = distances < _LIMITS[:, numbers[:, None], numbers[None]]
    orders = np.logical_and.accumulate(below).sum(0)
    np.fill_diagonal(orders, 0)
    return orders


def count_stable(numbers: np.ndarray, orders: np.ndarray) -> int:
    """Count the atoms whose bond orders add up to their element's valence.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    orders : numpy.ndarray, (n, n)
        Bond orders.

    Returns
    -------
    int
        Number of stable atoms.
    """
    return int((orders.sum(1) == np.array([VALENCES[number] for number in numbers.tolist()])).sum())


def find_largest_fragment(numbers: np.ndarray, orders: np.ndarray) -> str | None:
    """Find the largest fragment, as EDM's validity keeps it.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    orders : numpy.ndarray, (n, n)
        Bond orders.

    Returns
    -------
    str or None
        Its canonical SMILES; None where RDKit does not sanitize the whole.
    """
    kinds = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    mol = Chem.RWMol()
    for number in numbers.tolist():
        mol.AddAtom(Chem.Atom(number))
    for i, j in np.argwhere(np.triu(orders)).tolist():
        mol.AddBond(i, j, kinds[orders[i, j] - 1])
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(mol)
            parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=True)
        except Chem.MolSanitizeException:
            return None
    return Chem.MolToSmiles(max(parts, key=lambda part: part.GetNumAtoms())) if parts else None
