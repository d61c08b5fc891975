"""Molecules <-> Kekule graphs: the only place where a bond or a charge of RDKit is read or set."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.rdBase import BlockLogs

from symdiff.chemistry.elements import HEAVIEST
from symdiff.chemistry.limits import MAX_ATOMS, MAX_CHARGE
from symdiff.chemistry.parse import explain, parse, sanitize, strip_marks
from symdiff.errors import UserError
from symdiff.storage.numbers import read_integer
from symdiff.storage.records import Broken, Record

_BONDS = {Chem.BondType.SINGLE: 1, Chem.BondType.DOUBLE: 2, Chem.BondType.TRIPLE: 3}
ORDERS = [None, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE]
_LABEL = re.compile(r"([A-Z][a-z]?)(?:([+-])(\d*))?")
MAX_ELEMENT = HEAVIEST
_TABLE = Chem.GetPeriodicTable()


@dataclass(frozen=True)
class Kekule:
    """A molecule as a labelled graph with single, double and triple bonds.

    Parameters
    ----------
    element : ndarray, (n,) uint8
        Atomic numbers.
    charge : ndarray, (n,) int8
        Formal charges.
    edges : ndarray, (E, 2) int16
        Bonds, i < j.
    order : ndarray, (E,) uint8
        Orders 1, 2, 3 of the bonds.
    """

    element: np.ndarray
    charge: np.ndarray
    edges: np.ndarray
    order: np.ndarray


def label(element: int, charge: int) -> str:
    """Write an element with its charge: ``C``, ``N+``, ``O-``, ``Fe+2``.

    Parameters
    ----------
    element : int
        The atomic number.
    charge : int
        The formal charge.

    Returns
    -------
    str
        The label.
    """
    size = "" if abs(charge) < 2 else str(abs(charge))
    return _TABLE.GetElementSymbol(int(element)) + ("+" if charge > 0 else "-" if charge < 0 else "") + size


def parse_label(text: str) -> tuple[int, int]:
    """Read the element and the formal charge that a label names.

    Parameters
    ----------
    text : str
        Such as ``N+``.

    Returns
    -------
    element : int
        The atomic number.
    charge : int
        The formal charge.

    Raises
    ------
    UserError
        For what is no element with a charge.
    """
    match = _LABEL.fullmatch(str(text))
    try:
        if match is None:
            raise ValueError
        element = _TABLE.GetAtomicNumber(match[1])
    except (ValueError, RuntimeError):
        raise UserError(f"atoms: expected a label such as 'C', 'N+' or 'Fe+2', got {str(text)[:40]!r}") from None
    if not match[2]:
        return element, 0
    try:
        size = read_integer(match[3] or "1", 0, MAX_CHARGE)
    except UserError:
        raise UserError(f"atoms: expected charges of at most {MAX_CHARGE}, got {str(text)[:40]!r}") from None
    return element, size if match[2] == "+" else -size


def parse_smiles(text: str, max_atoms: int = MAX_ATOMS) -> Chem.Mol:
    """Read one SMILES of any number of components, sanitized and without marks.

    Parameters
    ----------
    text : str
        The SMILES.
    max_atoms : int
        Larger molecules are refused.

    Returns
    -------
    rdkit.Chem.Mol
        The molecule, without stereo, isotopes, atom maps and explicit hydrogens.

    Raises
    ------
    Broken
        With the reason, for what is no molecule or no such graph.
    """
    return strip_marks(sanitize(parse(Record("", 1, text, reason="" if text.strip() else "empty: no text"), max_atoms)))


def problem(mol: Chem.Mol) -> str | None:
    """Sanitize a molecule in place, and say what is wrong with it.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        The molecule; it is changed.

    Returns
    -------
    str or None
        "valence", "aromaticity" or "sanitization"; None where nothing is wrong.
    """
    with BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except Exception as error:  # RDKit raises whatever a molecule leads it to
            return str(explain(error)).partition(":")[0]
    return None


def to_kekule(mol: Chem.Mol, hydrogens: bool = False) -> Kekule:
    """Turn a sanitized molecule into its Kekule graph, atoms in the depth-first order of its canonical SMILES.

    Isomorphic molecules give identical arrays. Stereo marks, isotopes and atom maps are dropped. Valid molecules that
    such a graph cannot hold are refused: radicals, dative and quadruple bonds, hydrogens that do not follow from
    valence.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        Sanitized.
    hydrogens : bool
        Whether hydrogens are atoms of their own, behind the heavy ones and in their order.

    Returns
    -------
    Kekule
        The graph.

    Raises
    ------
    Broken
        With one of few reasons.
    """
    if mol.GetNumAtoms() == 0:
        raise Broken("empty: no atom")
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise Broken("query: an atom stands for several elements")
    _check_charges(mol)
    if any(atom.GetAtomMapNum() for atom in mol.GetAtoms()):
        mol = Chem.Mol(mol)
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
    with BlockLogs():
        mol = Chem.MolFromSmiles(Chem.MolToSmiles(mol, isomericSmiles=False))
        if mol is None:  # RDKit accepts some exotic rings once, but not a second time
            raise Broken("aromaticity: RDKit does not read the molecule's own canonical SMILES")
        if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
            raise Broken("radical: a graph of atoms and bonds has no unpaired electrons")
        if hydrogens:
            mol = Chem.AddHs(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
        _check_bonds(mol)
        graph = _arrays(mol)
        _check_hydrogens(mol, graph)
    return graph


def graph_of(mol: Chem.Mol, radicals: bool = False) -> Kekule:
    """Read the Kekule graph of any molecule, its atoms in their order.

    A molecule that does not sanitize is taken as it stands.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        The molecule; it is not changed.
    radicals : bool
        Whether hydrogens that do not follow from valence are accepted.

    Returns
    -------
    Kekule
        The graph.

    Raises
    ------
    Broken
        For what such a graph cannot hold: other bonds, large charges and, unless ``radicals``, hydrogens that do not
        follow from valence.
    """
    checked = Chem.Mol(mol)
    broken = problem(checked) is not None
    if broken:
        checked = Chem.Mol(mol)
    else:
        Chem.Kekulize(checked, clearAromaticFlags=True)
    _check_charges(checked)
    _check_bonds(checked)
    graph = _arrays(checked)
    if not broken and not radicals:
        _check_hydrogens(checked, graph)
    return graph


def _check_charges(mol: Chem.Mol) -> None:
    for atom in mol.GetAtoms():
        if abs(atom.GetFormalCharge()) > MAX_CHARGE:
            raise Broken(
                f"too large: atom {atom.GetIdx() + 1} has the charge {atom.GetFormalCharge():+}, up to {MAX_CHARGE} "
                "are read"
            )


def _check_bonds(mol: Chem.Mol) -> None:
    for bond in mol.GetBonds():
        if bond.GetBondType() not in _BONDS:
            raise Broken(
                f"bonds: bond {bond.GetIdx() + 1} is {bond.GetBondType().name.lower()}, not single, double or triple"
            )


def _arrays(mol: Chem.Mol) -> Kekule:
    atoms, bonds = mol.GetAtoms(), mol.GetBonds()
    ends = [sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in bonds]
    places = sorted(range(len(ends)), key=ends.__getitem__)
    orders = [_BONDS[bond.GetBondType()] for bond in bonds]
    return Kekule(
        np.array([atom.GetAtomicNum() for atom in atoms], np.uint8),
        np.array([atom.GetFormalCharge() for atom in atoms], np.int8),
        np.array([ends[k] for k in places], np.int16).reshape(-1, 2),
        np.array([orders[k] for k in places], np.uint8),
    )


def _check_hydrogens(mol: Chem.Mol, graph: Kekule) -> None:
    """The graph stores no hydrogen counts: refuse what would come back with others."""
    back = from_kekule(graph)
    try:
        back.UpdatePropertyCache(strict=True)
        Chem.AssignRadicals(back)
    except Chem.MolSanitizeException:
        raise Broken("valence: the graph of the molecule has none") from None
    for atom, again in zip(mol.GetAtoms(), back.GetAtoms(), strict=True):
        if atom.GetTotalNumHs() != again.GetTotalNumHs() or again.GetNumRadicalElectrons():
            raise Broken(f"hydrogens: their number at atom {atom.GetIdx() + 1} does not follow from its valence")


def from_kekule(graph: Kekule) -> Chem.Mol:
    """Make the molecule of a graph, unsanitized, implicit hydrogens allowed.

    Parameters
    ----------
    graph : Kekule
        Any labels and edges.

    Returns
    -------
    rdkit.Chem.Mol
        The molecule, atoms in the order of the graph.
    """
    mol = Chem.RWMol()
    for element, charge in zip(graph.element.tolist(), graph.charge.tolist(), strict=True):
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        mol.AddAtom(atom)
    for (i, j), order in zip(graph.edges.tolist(), graph.order.tolist(), strict=True):
        mol.AddBond(i, j, ORDERS[order])
    return mol.GetMol()


EMPTY = Kekule(np.zeros(0, np.uint8), np.zeros(0, np.int8), np.zeros((0, 2), np.int16), np.zeros(0, np.uint8))
