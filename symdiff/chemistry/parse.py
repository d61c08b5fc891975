"""From the text of a record to an RDKit molecule, or the reason why there is none.

The same for training data and for samples.
"""

from __future__ import annotations

import re

from rdkit import Chem
from rdkit.Chem import rdqueries
from rdkit.rdBase import BlockLogs

from symdiff.chemistry.elements import HEAVIEST
from symdiff.chemistry.limits import MAX_ATOMS, MAX_CHARGE, MAX_CYCLES, MAX_VALENCE
from symdiff.chemistry.normal import normalize
from symdiff.chemistry.sdf import find_cause
from symdiff.storage.boundary import describe
from symdiff.storage.records import Broken, Record

_AS_WRITTEN = Chem.SmilesParserParams()
_AS_WRITTEN.sanitize = False
_AS_WRITTEN.removeHs = False
_AS_WRITTEN.allowCXSMILES = False
_AS_WRITTEN.parseName = False
# RDKit keeps these numbers in eight bits: it would read [CH260], [CH4+256] and [#262H4] as methane
_NUMBERED = re.compile(r"\[[^][]*#(\d+)")
_NO_RING = Chem.MolFromSmarts("*:!@*")  # an aromatic bond outside a ring
_EXOTIC = Chem.MolFromSmarts("[a;!#6;!#7;!#8;!#16]")
_USUAL = re.compile(r"\[(C@@?H?|nH|N[+]|O-)\]")  # neither a query nor beyond any bound
_UNUSUAL, _SHORT = re.compile(r"[][*~]"), 100  # each of a hundred bonds of an atom is a character at least
_ENDLESS = {
    "smiles": re.compile(r"\[[^][]*(H|[+-])\d{3,}"),
    "molblock": re.compile(r"^M  CHG +\d+( +\d+ +[+-]?\d+)*? +\d+ +[+-]?\d{3,}|\b(CHG|VAL)=[+-]?\d{3,}", re.MULTILINE),
}


def _find_marks() -> Chem.QueryAtom:
    """A query for atoms that are hydrogens, or have an isotope or an atom map."""
    query = rdqueries.AtomNumEqualsQueryAtom(1)
    query.ExpandQuery(rdqueries.IsotopeGreaterQueryAtom(0), how=Chem.CompositeQueryType.COMPOSITE_OR)
    query.ExpandQuery(rdqueries.HasPropQueryAtom("molAtomMapNumber"), how=Chem.CompositeQueryType.COMPOSITE_OR)
    return query


_MARKED_ATOM = _find_marks()


def parse(record: Record, max_atoms: int = MAX_ATOMS) -> Chem.Mol:
    """Parse the text of a record, as it is written.

    Parameters
    ----------
    record : Record
        Of the form "smiles" or "molblock".
    max_atoms : int
        Molecules with more atoms are refused.

    Returns
    -------
    rdkit.Chem.Mol
        Not sanitized, its hydrogens where they are written.

    Raises
    ------
    Broken
        For a record with a reason of its own, for what RDKit cannot read, and for what is no molecule of known elements
        and bonds.
    """
    if record.reason:
        raise Broken(record.reason)
    if _ENDLESS[record.form].search(record.text):
        raise Broken("syntax: a charge or a number of hydrogens of three digits")
    if record.form == "smiles" and "#" in record.text:
        _check_numbers(record.text)
    try:
        with BlockLogs():
            mol = _read(record)
    except Exception as error:  # RDKit raises whatever a text leads it to
        raise Broken(f"syntax: {describe(error)}") from error
    if mol is None and record.form == "molblock":
        raise Broken(find_cause(record.text) or "syntax: RDKit cannot read this as a mol block")
    if mol is None:
        raise Broken("syntax: RDKit cannot read this as SMILES")
    _check_size(mol, max_atoms)
    if record.form == "smiles" and len(record.text) < _SHORT and not _UNUSUAL.search(_USUAL.sub("", record.text)):
        return mol  # no charge, no query, and too short for a valence beyond the largest
    _check_atoms(mol)
    if record.form == "molblock" or "~" in record.text:
        _check_bonds(mol)
    return mol


def _read(record: Record) -> Chem.Mol | None:
    if record.form == "smiles":
        return Chem.MolFromSmiles(record.text, _AS_WRITTEN) if record.text.isascii() else None
    return Chem.MolFromMolBlock(record.text, sanitize=False, removeHs=False, strictParsing=True)


def _check_numbers(text: str) -> None:
    """Elements that are written by their atomic number."""
    for number in _NUMBERED.findall(text):
        if len(number) > 3 or int(number) > HEAVIEST:
            raise Broken(f"element: an atom has the atomic number {number[:20]}")


def _check_size(mol: Chem.Mol, max_atoms: int) -> None:
    count = mol.GetNumAtoms()
    if count == 0:
        raise Broken("empty: no atom")
    if count > max_atoms:
        raise Broken(f"too large: {count} atoms, at most {max_atoms} are read")
    if mol.GetNumBonds() - count + 1 > MAX_CYCLES:
        raise Broken(f"too large: {mol.GetNumBonds() - count + 1} independent cycles, at most {MAX_CYCLES} are read")


def _check_atoms(mol: Chem.Mol) -> None:
    for atom in mol.GetAtoms():
        number, charge, bonds = atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetDegree()
        if (
            0 < number <= HEAVIEST
            and -MAX_CHARGE <= charge <= MAX_CHARGE
            and 6 * bonds + atom.GetNumExplicitHs() <= MAX_VALENCE
            and not atom.HasQuery()
        ):
            continue  # a bond counts six at most
        place = f"atom {atom.GetIdx() + 1}"
        if number == 0 or atom.HasQuery():
            raise Broken(f"query: {place} stands for several elements")
        if number > HEAVIEST:
            raise Broken(f"element: {place} has the atomic number {number}")
        if not -MAX_CHARGE <= charge <= MAX_CHARGE:
            raise Broken(f"too large: {place} has the charge {charge:+}, up to {MAX_CHARGE} are read")
        if sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds()) + atom.GetNumExplicitHs() > MAX_VALENCE:
            raise Broken(f"too large: {place} has over {MAX_VALENCE} bonds and hydrogens")


def _check_bonds(mol: Chem.Mol) -> None:
    for bond in mol.GetBonds():
        if bond.HasQuery() or bond.GetBondType() == Chem.BondType.UNSPECIFIED:
            raise Broken(f"query: bond {bond.GetIdx() + 1} stands for several kinds")


def sanitize(mol: Chem.Mol) -> Chem.Mol:
    """Sanitize a copy.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        The molecule; it is not changed.

    Returns
    -------
    rdkit.Chem.Mol
        The sanitized copy.

    Raises
    ------
    Broken
        With the first problem: a valence, aromaticity, or another one of RDKit's checks.
    """
    mol = Chem.Mol(mol)
    try:
        with BlockLogs():
            Chem.SanitizeMol(mol)
            if mol.HasSubstructMatch(_EXOTIC):
                Chem.SanitizeMol(Chem.Mol(mol))  # RDKit accepts some rings once, but not a second time
    except Exception as error:
        raise explain(error) from error
    # RDKit leaves an aromatic bond as it stands where there is no ring to kekulize
    if loose := mol.GetSubstructMatch(_NO_RING):
        place = mol.GetBondBetweenAtoms(*loose).GetIdx() + 1
        raise Broken(f"aromaticity: bond {place} is aromatic outside a ring")
    return mol


def explain(error: Exception) -> Broken:
    """Turn what RDKit raised over a molecule into a reason.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    Broken
        "valence: ...", "aromaticity: ..." or "sanitization: ...".
    """
    kind = "sanitization"
    if isinstance(error, Chem.AtomValenceException):
        kind = "valence"
    elif isinstance(error, Chem.KekulizeException | Chem.AtomKekulizeException):
        kind = "aromaticity"
    return Broken(f"{kind}: {describe(error)}")


def identify(record: Record, max_atoms: int = MAX_ATOMS) -> Chem.Mol:
    """Read the one molecule that a record holds, without marks.

    Parameters
    ----------
    record : Record
        Of the form "smiles" or "molblock".
    max_atoms : int
        Larger molecules are refused.

    Returns
    -------
    rdkit.Chem.Mol
        Sanitized, without stereo, isotopes, atom maps and explicit hydrogens.

    Raises
    ------
    Broken
        For what is no molecule, has a problem, or has several components.
    """
    mol = parse(record, max_atoms)
    clean = sanitize(mol)
    if (components := len(Chem.GetMolFrags(mol))) > 1:
        raise Broken(f"fragments: {components} components")
    try:
        with BlockLogs():
            return strip_marks(clean)
    except Exception as error:  # RDKit accepts some exotic rings once, but not a second time
        raise explain(error) from error


def flatten(mol: Chem.Mol) -> Chem.Mol:
    """Copy a sanitized molecule in the normal form of charges and without marks.

    Molecules with the same such form count as the same molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized; it is not changed.

    Returns
    -------
    rdkit.Chem.Mol
        The copy.
    """
    return strip_marks(normalize(mol))


def strip_marks(mol: Chem.Mol) -> Chem.Mol:
    """Copy a molecule without stereo, isotopes, atom maps and explicit hydrogens; charges stay as drawn.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized; it is not changed.

    Returns
    -------
    rdkit.Chem.Mol
        The copy.
    """
    mol = Chem.Mol(mol)
    Chem.RemoveStereochemistry(mol)
    hydrogens = False
    for atom in mol.GetAtomsMatchingQuery(_MARKED_ATOM):  # a query, since a loop over all atoms in Python is slow
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
        hydrogens = hydrogens or atom.GetAtomicNum() == 1
    return Chem.RemoveHs(mol) if hydrogens else mol


def canonical(mol: Chem.Mol) -> str:
    """Write the canonical SMILES of a flat molecule.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Such as ``flatten`` makes.

    Returns
    -------
    str
        The SMILES, without stereo.
    """
    return Chem.MolToSmiles(mol, isomericSmiles=False)
