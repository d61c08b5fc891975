"""RDKit's canonical orders of molecules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.canonical.base import Canonicalizer
from symdiff.groups.permutations import Symmetric
from symdiff.state import State

Order = Literal["rank", "smiles"]
_LABEL = re.compile(r"([A-Z][a-z]?)(?:([+-])(\d*))?")


class Molecules(Canonicalizer):
    """The order of atoms that RDKit's canonical ranks give, or the one in which canonical SMILES writes them.

    For structures with the fields "atom" and "bond" (0 none, 1 single, 2 double, 3 triple). Nothing is sanitized, so
    that generated and broken molecules have an order too; every structure is read in Python, one by one. RDKit decides
    some ties of highly symmetric graphs by the order of the atoms: the distribution of ``sample`` is equivariant all
    the same, with more entropy than that of ``Nodes``.

    Parameters
    ----------
    atoms : sequence of str
        The labels of the field "atom", such as "C", "N+", "O-", "Fe+2".
    order : {"rank", "smiles"}
        By RDKit's atom ranks, or as in canonical SMILES, which is depth-first.

    Raises
    ------
    ValueError
        For a label that is no element with a charge, or an ``order`` of another name.

    References
    ----------
    Schneider, Sahnoun, Landrum: Get your atoms in order (J. Chem. Inf. Model. 2015).
    """

    def __init__(self, atoms: Sequence[str], order: Order = "rank") -> None:
        from rdkit import Chem

        if order not in get_args(Order):
            raise ValueError(f"order must be one of {get_args(Order)}, got {order!r}")
        self.atoms, self.order = list(atoms), order
        self.group = Symmetric()
        self._prototypes = [_atom(Chem, text) for text in self.atoms]
        self._bonds = [None, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE]

    def element(self, x: State) -> Tensor:
        """Compute c with c⁻¹·x canonical: for every atom its position in the canonical order, (B, N) int64."""
        positions = self.group.identity(x.mask).cpu()
        edges = x["bond"].triu(1).nonzero()
        orders = x["bond"][edges.unbind(1)].tolist()
        bonds: list[list[tuple[int, int, int]]] = [[] for _ in range(len(x))]
        for (row, i, j), kind in zip(edges.tolist(), orders, strict=True):
            bonds[row].append((i, j, kind))
        for row, (size, atoms) in enumerate(zip(x.num_nodes.tolist(), x["atom"].tolist(), strict=True)):
            positions[row, :size] = torch.tensor(self._order(atoms[:size], bonds[row]))
        return positions.to(x.device)

    def _order(self, atoms: list[int], bonds: list[tuple[int, int, int]]) -> list[int]:
        from rdkit import Chem

        molecule = Chem.RWMol()
        for label in atoms:
            molecule.AddAtom(self._prototypes[label])
        for i, j, kind in bonds:
            molecule.AddBond(i, j, self._bonds[kind])
        molecule.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(molecule)
        if self.order == "rank":
            return list(Chem.CanonicalRankAtoms(molecule, breakTies=True))
        Chem.MolToSmiles(molecule)  # leaves behind the order in which it wrote the atoms
        written = list(molecule.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        return torch.tensor(written).argsort().tolist()


def _atom(chem, text: str):
    match = _LABEL.fullmatch(text)
    if match is None:
        raise ValueError(f"atoms needs labels such as 'C', 'N+' or 'Fe+2', got {text!r}")
    atom = chem.Atom(match[1])
    size = int(match[3] or 1) if match[2] else 0
    atom.SetFormalCharge(-size if match[2] == "-" else size)
    return atom
