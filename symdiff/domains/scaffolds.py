"""Scaffolds: molecules whose attachment points are written ``[*]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.errors import UserError
from symdiff.state import Categorical, State
from symdiff.storage.numbers import show

if TYPE_CHECKING:
    from symdiff.domains.molecule import MolecularGraph

HELP = (
    "a scaffold as SMILES with attachment points, such as '[*]c1ccccc1[*]' or two parts '[*]C#N.[*]O': in every "
    "molecule exactly as it is, and bound to the rest at these points only"
)


def read_scaffold(text: str, domain: MolecularGraph) -> State:
    """Read the option ``fixed`` of molecular graphs.

    Parameters
    ----------
    text : str
        SMILES with ``[*]`` or ``*`` at atoms to which the rest may be bound, by a single bond each.
    domain : MolecularGraph
        Whose labels the scaffold gets; with hydrogens as nodes those at the atoms of the scaffold are a part of it.

    Returns
    -------
    State
        One structure with the fields of the domain, and ``open``: 1 at atoms with attachment points.

    Raises
    ------
    UserError
        For what is no such molecule, an attachment point that is not bound by one single bond, and atoms that the model
        does not have.
    """
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    from symdiff.chemistry import kekule

    with BlockLogs():
        mol = Chem.MolFromSmiles(text) if len(text) <= 10_000 else None
        if mol is None or not mol.GetNumAtoms():
            raise UserError(f"--fixed: expected a SMILES such as '[*]c1ccccc1', got {show(text)}")
        if domain.hydrogens:
            mol = Chem.AddHs(mol)
        Chem.Kekulize(mol, clearAromaticFlags=True)
    stars = {atom.GetIdx() for atom in mol.GetAtoms() if not atom.GetAtomicNum()}
    atoms = [atom for atom in mol.GetAtoms() if atom.GetIdx() not in stars]
    opened = set()
    for atom in (mol.GetAtomWithIdx(index) for index in stars):
        bonds = atom.GetBonds()
        if (
            len(bonds) != 1
            or bonds[0].GetBondType() != Chem.BondType.SINGLE
            or bonds[0].GetOtherAtomIdx(atom.GetIdx()) in stars
        ):
            raise UserError(f"--fixed: {text[:80]}: expected every [*] at one atom, bound once, by a single bond")
        opened.add(bonds[0].GetOtherAtomIdx(atom.GetIdx()))
    if not atoms:
        raise UserError(f"--fixed: {text[:80]}: expected atoms beside the attachment points")
    if any(atom.GetNumRadicalElectrons() for atom in atoms):
        raise UserError(f"--fixed: {text[:80]}: has unpaired electrons; [*] marks where the rest is bound")
    names = [kekule.label(atom.GetAtomicNum(), atom.GetFormalCharge()) for atom in atoms]
    unknown = next((name for name in names if name not in domain.atoms), None)
    if unknown is not None:
        raise UserError(f"--fixed: atom {unknown} is not among {', '.join(domain.atoms)}")
    place = {atom.GetIdx(): k for k, atom in enumerate(atoms)}
    bonds = np.zeros((len(atoms), len(atoms)), np.int64)
    for bond in mol.GetBonds():
        ends = [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
        if not stars & set(ends):
            i, j = (place[end] for end in ends)
            bonds[i, j] = bonds[j, i] = int(bond.GetBondTypeAsDouble())
    own = {name: field for name, field in domain.schema.items() if name not in domain.conditions}
    values = {
        "atom": torch.tensor([[domain.atoms.index(name) for name in names]]),
        "bond": torch.from_numpy(bonds)[None],
        "open": torch.tensor([[int(atom.GetIdx() in opened) for atom in atoms]]),
    }
    return State(torch.ones(1, len(atoms), dtype=torch.bool), {**own, "open": Categorical("node", 2)}, values)
