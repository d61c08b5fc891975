"""Molecules <-> Kekule graphs: the only place where a bond or a charge of RDKit is read or set."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.rdBase import BlockLogs

from symdiff.errors import UserError

_BONDS = {Chem.BondType.SINGLE: 1, Chem.BondType.DOUBLE: 2, Chem.BondType.TRIPLE: 3}
ORDERS = [None, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE]
_LABEL = re.compile(r"([A-Z][a-z]?)(?:([+-])(\d*))?")
MAX_CHARGE = 8
MAX_ELEMENT = 118
_TABLE = Chem.GetPeriodicTable()


@dataclass(frozen=True)
class Kekule:
    """A labelled graph: ``element`` (n,) uint8, ``charge`` (n,) int8, ``edges`` (E, 2) int16 i < j, ``order`` (E,) uint8."""

    element: np.ndarray
    charge: np.ndarray
    edges: np.ndarray
    order: np.ndarray


def label(element: int, charge: int) -> str:
    """``C``, ``N+``, ``O-``, ``Fe+2``."""
    size = "" if abs(charge) < 2 else str(abs(charge))
    return _TABLE.GetElementSymbol(int(element)) + ("+" if charge > 0 else "-" if charge < 0 else "") + size


def parse_label(text: str) -> tuple[int, int]:
    """The element and the formal charge that a label names. Raises UserError."""
    match = _LABEL.fullmatch(str(text))
    try:
        if match is None:
            raise ValueError
        element = _TABLE.GetAtomicNumber(match[1])
    except (ValueError, RuntimeError):
        raise UserError(f"atoms: expected a label such as 'C', 'N+' or 'Fe+2', got {text!r}") from None
    charge = int(match[3] or 1) * (1 if match[2] == "+" else -1) if match[2] else 0
    if abs(charge) > MAX_CHARGE:
        raise UserError(f"atoms: expected charges of at most {MAX_CHARGE}, got {text!r}")
    return element, charge


def parse_smiles(text: str) -> Chem.Mol:
    """Read one SMILES, sanitized; the reason is one of few words, so that a report can count it. Raises UserError."""
    with BlockLogs():
        mol = Chem.MolFromSmiles(text, sanitize=False)
        if mol is None or not text.strip():
            raise UserError("not a SMILES string")
        return _clean(mol)


def parse_molblock(text: str) -> Chem.Mol:
    """Read one entry of an SDF file. Raises UserError."""
    with BlockLogs():
        mol = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False)
        if mol is None:
            raise UserError("not a mol block")
        return _clean(mol)


def _clean(mol: Chem.Mol) -> Chem.Mol:
    reason = problem(mol)
    if reason is not None:
        raise UserError(reason)
    return Chem.RemoveHs(mol)


def problem(mol: Chem.Mol) -> str | None:
    """Sanitize in place; what is wrong (``valence``, ``kekulization``, ...), or None."""
    with BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except Chem.AtomValenceException:
            return "valence"
        except (Chem.KekulizeException, Chem.AtomKekulizeException):
            return "kekulization"
        except (Chem.MolSanitizeException, ValueError, RuntimeError) as error:
            return type(error).__name__
    return None


def to_kekule(mol: Chem.Mol, hydrogens: bool = False) -> Kekule:
    """The Kekule graph of a sanitized molecule, atoms in the depth-first order of its canonical SMILES.

    Isomorphic molecules give identical arrays. Stereo marks, isotopes and atom maps are dropped. With ``hydrogens`` they
    are atoms of their own, behind the heavy ones and in their order. Raises UserError with one of few reasons.
    """
    if mol.GetNumAtoms() == 0:
        raise UserError("no atoms")
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise UserError("wildcard atom")
    if any(abs(atom.GetFormalCharge()) > MAX_CHARGE for atom in mol.GetAtoms()):
        raise UserError(f"charge beyond {MAX_CHARGE}")
    if any(atom.GetAtomMapNum() for atom in mol.GetAtoms()):
        mol = Chem.Mol(mol)
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
    with BlockLogs():
        mol = Chem.MolFromSmiles(Chem.MolToSmiles(mol, isomericSmiles=False))
        if mol is None:
            raise UserError("canonical SMILES does not parse")
        if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
            raise UserError("radical")
        if hydrogens:
            mol = Chem.AddHs(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
        if any(bond.GetBondType() not in _BONDS for bond in mol.GetBonds()):
            raise UserError("bond is not single, double or triple")
        graph = _arrays(mol)
        _check_hydrogens(mol, graph)
    return graph


def graph_of(mol: Chem.Mol, radicals: bool = False) -> Kekule:
    """The Kekule graph of any molecule, its atoms in their order; what does not sanitize is taken as it stands.

    Raises UserError for what such a graph cannot hold: other bonds, large charges and, unless ``radicals`` are taken as they
    stand, hydrogens that do not follow from valence.
    """
    checked = Chem.Mol(mol)
    broken = problem(checked) is not None
    if broken:
        checked = Chem.Mol(mol)
    else:
        Chem.Kekulize(checked, clearAromaticFlags=True)
    if any(abs(atom.GetFormalCharge()) > MAX_CHARGE for atom in checked.GetAtoms()):
        raise UserError(f"charge beyond {MAX_CHARGE}")
    if any(bond.GetBondType() not in _BONDS for bond in checked.GetBonds()):
        raise UserError("bond is not single, double or triple")
    graph = _arrays(checked)
    if not broken and not radicals:
        _check_hydrogens(checked, graph)
    return graph


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
        raise UserError("valence") from None
    for atom, again in zip(mol.GetAtoms(), back.GetAtoms(), strict=True):
        if atom.GetTotalNumHs() != again.GetTotalNumHs() or again.GetNumRadicalElectrons():
            raise UserError("hydrogen count does not follow from valence")


def from_kekule(graph: Kekule) -> Chem.Mol:
    """The molecule of a graph, unsanitized, implicit hydrogens allowed; any labels and edges are accepted."""
    mol = Chem.RWMol()
    for element, charge in zip(graph.element.tolist(), graph.charge.tolist(), strict=True):
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        mol.AddAtom(atom)
    for (i, j), order in zip(graph.edges.tolist(), graph.order.tolist(), strict=True):
        mol.AddBond(i, j, ORDERS[order])
    return mol.GetMol()


EMPTY = Kekule(np.zeros(0, np.uint8), np.zeros(0, np.int8), np.zeros((0, 2), np.int16), np.zeros(0, np.uint8))
