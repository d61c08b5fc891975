"""From the text of a record to an RDKit molecule, or the reason why there is none."""

from __future__ import annotations

import re

from rdkit import Chem

from symdiff.chemistry.normal import normalize
from symdiff_evaluation.core.records import MAX_ATOMS, MAX_CHARGE, MAX_CYCLES, MAX_VALENCE, Record

_AS_WRITTEN = Chem.SmilesParserParams()
_AS_WRITTEN.sanitize = False
_AS_WRITTEN.removeHs = False
_AS_WRITTEN.allowCXSMILES = False
_AS_WRITTEN.parseName = False
# RDKit keeps these numbers in eight bits: it would read [CH260] and [CH4+256] as methane
_ENDLESS = {
    "smiles": re.compile(r"\[[^][]*(H|[+-])\d{3,}"),
    "molblock": re.compile(r"^M  CHG +\d+( +\d+ +[+-]?\d+)*? +\d+ +[+-]?\d{3,}|\b(CHG|VAL)=[+-]?\d{3,}", re.MULTILINE),
}

_UNUSUAL, _SHORT = re.compile(r"[][*~]"), 100  # each of a hundred bonds of an atom is a character at least


class Broken(ValueError):
    """Why a record is no molecule: ``kind: detail``, the kinds being those of the README."""


def written(record: Record) -> Chem.Mol:
    """The molecule as written: not sanitized, hydrogens kept. Raises ``Broken``."""
    if record.reason:
        raise Broken(record.reason)
    if _ENDLESS[record.form].search(record.text):
        raise Broken("syntax: a charge or a number of hydrogens of three digits")
    if record.form == "smiles":
        mol = Chem.MolFromSmiles(record.text, _AS_WRITTEN) if record.text.isascii() else None
    else:
        mol = Chem.MolFromMolBlock(record.text, sanitize=False, removeHs=False, strictParsing=True)
    if mol is None:
        raise Broken("syntax: RDKit cannot read this as " + ("SMILES" if record.form == "smiles" else "a mol block"))
    atoms = mol.GetNumAtoms()
    if atoms == 0:
        raise Broken("empty: no atom")
    if atoms > MAX_ATOMS:
        raise Broken(f"too large: {atoms} atoms, at most {MAX_ATOMS} are read")
    if mol.GetNumBonds() - atoms + 1 > MAX_CYCLES:
        raise Broken(f"too large: {mol.GetNumBonds() - atoms + 1} independent cycles, at most {MAX_CYCLES} are read")
    if record.form == "smiles" and len(record.text) < _SHORT and not _UNUSUAL.search(record.text):
        return mol  # no charge, no query, and too short for a valence beyond the largest
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0 or atom.HasQuery():
            raise Broken(f"query: atom {atom.GetIdx() + 1} stands for several elements")
        if abs(atom.GetFormalCharge()) > MAX_CHARGE:
            raise Broken(f"too large: atom {atom.GetIdx() + 1} has the charge {atom.GetFormalCharge():+}, up to {MAX_CHARGE} are read")
        # a bond counts six at most: hardly any atom needs the sum
        if 6 * atom.GetDegree() + atom.GetNumExplicitHs() > MAX_VALENCE and _valence(atom) > MAX_VALENCE:
            raise Broken(f"too large: atom {atom.GetIdx() + 1} has over {MAX_VALENCE} bonds and hydrogens")
    for bond in mol.GetBonds():
        if bond.HasQuery() or bond.GetBondType() == Chem.BondType.UNSPECIFIED:
            raise Broken(f"query: bond {bond.GetIdx() + 1} stands for several kinds")
    return mol


def _valence(atom: Chem.Atom) -> float:
    """Bonds and hydrogens of an atom as written."""
    return sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds()) + atom.GetNumExplicitHs()


def sanitized(mol: Chem.Mol) -> Chem.Mol:
    """A sanitized copy. Raises ``Broken`` with the first problem that RDKit finds."""
    mol = Chem.Mol(mol)
    try:
        Chem.SanitizeMol(mol)
    except Chem.MolSanitizeException as error:
        raise broken(error) from error
    return mol


def broken(error: Chem.MolSanitizeException) -> Broken:
    """What RDKit says of a molecule as a reason."""
    kind = "sanitization"
    if isinstance(error, Chem.AtomValenceException):
        kind = "valence"
    elif isinstance(error, Chem.KekulizeException | Chem.AtomKekulizeException):
        kind = "aromaticity"
    return Broken(f"{kind}: {' '.join(str(error).split())}")


def flat(mol: Chem.Mol) -> Chem.Mol:
    """A copy in the normal form of charges, without stereo, isotopes, atom maps and explicit hydrogens: what identity means here."""
    mol = Chem.Mol(normalize(mol))
    Chem.RemoveStereochemistry(mol)
    hydrogens = False
    for atom in mol.GetAtoms():
        if atom.GetIsotope():
            atom.SetIsotope(0)
        if atom.GetAtomMapNum():
            atom.SetAtomMapNum(0)
        hydrogens = hydrogens or atom.GetAtomicNum() == 1
    return Chem.RemoveHs(mol) if hydrogens else mol


def canonical(mol: Chem.Mol) -> str:
    """Canonical SMILES of a flat molecule."""
    return Chem.MolToSmiles(mol, isomericSmiles=False)

