"""One way to draw what chemists draw in several: the normal form of charges.

Sulfoxides, sulfones and phosphine oxides have no charges (``CS(C)=O``, not ``C[S+](C)[O-]``); azides and diazo
compounds have theirs on the two nitrogens (``CN=[N+]=[N-]``, not ``C[N-][N+]#N``). Nitro groups and N-oxides have
charges (``C[N+](=O)[O-]``): RDKit's own sanitization sees to these.
"""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import rdqueries
from rdkit.rdBase import BlockLogs

_EXPANDABLE = {15, 16, 33, 34}  # P, S, As, Se: these have a double bond to oxygen where they could have charges
_CHALCOGENS = {8, 16, 34}
_POSITIVE = rdqueries.FormalChargeGreaterQueryAtom(0)
_SINGLE, _DOUBLE, _TRIPLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE


def normalize(mol: Chem.Mol) -> Chem.Mol:
    """Bring a sanitized molecule into the normal form of charges: itself where it has that, else a changed copy.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        A sanitized molecule.

    Returns
    -------
    rdkit.Chem.Mol
        Sanitized, with the same atoms in their order and the same total charge.
    """
    if not mol.GetAtomsMatchingQuery(_POSITIVE):
        return mol
    drawn = Chem.RWMol(mol)
    Chem.Kekulize(drawn, clearAromaticFlags=True)
    changed = False
    while any(_neutralize(bond) or _move_to_end(bond) for bond in drawn.GetBonds()):
        changed = True
    if not changed:
        return mol
    with BlockLogs():
        try:
            Chem.SanitizeMol(drawn)
        except Chem.MolSanitizeException:
            return mol
    return drawn.GetMol()


def _neutralize(bond: Chem.Bond) -> bool:
    """S+ - O- becomes S = O. Whether this bond was one of these."""
    for plus, minus in _ends(bond):
        if (
            plus.GetAtomicNum() in _EXPANDABLE
            and minus.GetAtomicNum() in _CHALCOGENS
            and _is_charged(bond, plus, minus)
        ):
            bond.SetBondType(_DOUBLE)
            plus.SetFormalCharge(plus.GetFormalCharge() - 1)
            minus.SetFormalCharge(0)
            return True
    return False


def _move_to_end(bond: Chem.Bond) -> bool:
    """X- - N+ # N becomes X = N+ = N-, where X is carbon or nitrogen. Whether this bond was one of these."""
    for plus, minus in _ends(bond):
        if plus.GetAtomicNum() != 7 or minus.GetAtomicNum() not in (6, 7) or not _is_charged(bond, plus, minus):
            continue
        for other in plus.GetBonds():
            end = other.GetOtherAtom(plus)
            if other.GetBondType() == _TRIPLE and end.GetAtomicNum() == 7 and end.GetFormalCharge() == 0:
                bond.SetBondType(_DOUBLE)
                other.SetBondType(_DOUBLE)
                minus.SetFormalCharge(0)
                end.SetFormalCharge(-1)
                return True
    return False


def _ends(bond: Chem.Bond) -> tuple[tuple[Chem.Atom, Chem.Atom], tuple[Chem.Atom, Chem.Atom]]:
    first, second = bond.GetBeginAtom(), bond.GetEndAtom()
    return (first, second), (second, first)


def _is_charged(bond: Chem.Bond, plus: Chem.Atom, minus: Chem.Atom) -> bool:
    return bond.GetBondType() == _SINGLE and plus.GetFormalCharge() > 0 and minus.GetFormalCharge() == -1
