"""Molecules as graphs: SMILES and RDKit molecules, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.errors import UserError
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.molecule import MolecularGraph


HIDDEN = (0, 0)
"""Element and charge of what is shown for one label more than there are: an atom that a process hides still."""


class MoleculeCodec(Codec):
    """Molecules as SMILES strings or RDKit molecules.

    Parameters
    ----------
    domain : MolecularGraph
        Which atoms there are, and how large a molecule may be.
    """

    order = "smiles"

    def __init__(self, domain: MolecularGraph) -> None:
        self.domain = domain

    def encode(self, obj) -> Arrays:
        """Take the atoms and bonds of a SMILES string or an RDKit molecule.

        The record has ``atom`` (n,), ``edges`` (E, 2) and ``bond`` (E,). Atoms stand in the depth-first order of the
        canonical SMILES, so isomorphic molecules give identical arrays.

        Raises
        ------
        UserError
            For unknown elements or charges, radicals, broken valences, bonds such as dative, too many atoms.
        """
        from symdiff.chemistry import kekule

        mol = kekule.parse_smiles(obj) if isinstance(obj, str) else self._sanitize(obj)
        return self.label(kekule.to_kekule(mol, self.domain.hydrogens))

    def _sanitize(self, mol):
        from rdkit import Chem

        from symdiff.chemistry import kekule

        if not isinstance(mol, Chem.Mol):
            raise UserError(f"expected a SMILES string or an RDKit molecule, got {type(mol).__name__}")
        mol = Chem.Mol(mol)
        reason = kekule.problem(mol)
        if reason is not None:
            raise UserError(reason)
        return Chem.RemoveHs(mol)

    def label(self, graph) -> Arrays:
        """Make the record of a ``Kekule`` graph.

        Parameters
        ----------
        graph : Kekule
            Atoms in their order, and bonds.

        Returns
        -------
        Arrays
            As ``encode`` returns it.

        Raises
        ------
        UserError
            For a label that is not among ``atoms``, or too many atoms.
        """
        from symdiff.chemistry import kekule

        if len(graph.element) > self.domain.max_nodes:
            raise UserError(f"too large: {len(graph.element)} atoms, at most {self.domain.max_nodes} are read")
        places = {atom: k for k, atom in enumerate(self.domain.atoms)}
        labels = [kekule.label(e, c) for e, c in zip(graph.element.tolist(), graph.charge.tolist(), strict=True)]
        unknown = sorted({text for text in labels if text not in places})
        if unknown:
            raise UserError(f"atom {unknown[0]} is not among {', '.join(self.domain.atoms)}")
        return {
            "atom": np.array([places[text] for text in labels], np.uint8),
            "edges": graph.edges,
            "bond": graph.order,
            **self.domain.properties.hidden(),
        }

    def decode(self, state: State) -> list:
        """Make RDKit molecules: unsanitized, charges set, implicit hydrogens allowed."""
        from symdiff.chemistry import kekule

        labels = [*(kekule.parse_label(text) for text in self.domain.atoms), HIDDEN]
        element = np.array([e for e, _ in labels], np.uint8)
        charge = np.array([c for _, c in labels], np.int8)
        sizes = state.num_nodes.tolist()
        atoms, bonds = state["atom"].cpu().numpy(), state["bond"].cpu()
        where, i, j = torch.nonzero(bonds.triu(1), as_tuple=True)
        edges = torch.stack([i, j], 1).numpy().astype(np.int16)
        orders = bonds[where, i, j].numpy().astype(np.uint8)
        stops = np.searchsorted(where.numpy(), np.arange(len(sizes) + 1))
        mols = []
        for row, size in enumerate(sizes):
            part, kinds = slice(stops[row], stops[row + 1]), atoms[row, :size]
            mols.append(kekule.from_kekule(kekule.Kekule(element[kinds], charge[kinds], edges[part], orders[part])))
        return mols

    to_rdkit = decode

    def to_networkx(self, state: State) -> list:
        """Convert to graphs with atoms and orders of bonds as attributes."""
        from symdiff.domains.molecule_conversion import to_networkx

        return to_networkx(state, self.domain.atoms)

    def to_pyg(self, state: State) -> list:
        """Convert to ``z``, ``charge``, ``edge_index`` and ``edge_attr``, as for molecules in 3D without positions."""
        from symdiff.domains.molecule_conversion import to_pyg

        return to_pyg(state, self.domain.atoms)

    def inspect(self, state: State) -> list[tuple[str | None, str | None]]:
        """Tell the canonical SMILES of every structure, or why it has none.

        Fragments are joined by dots.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of (str or None, str or None)
            The canonical SMILES and None for what sanitizes, else None and the reason.
        """
        from rdkit import Chem

        from symdiff.chemistry import kekule

        verdicts = []
        for mol in self.decode(state):
            reason = kekule.problem(mol)
            verdicts.append((None, reason) if reason else (Chem.MolToSmiles(Chem.RemoveHs(mol)), None))
        return verdicts

    def smiles(self, state: State) -> list[str | None]:
        """Tell the canonical SMILES of every structure.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of str or None
            None where a structure does not sanitize (``inspect`` says why).
        """
        return [text for text, _ in self.inspect(state)]

    def read(self, path: str | Path) -> list:
        """Read RDKit molecules, unsanitized: .smi, .txt, .csv, .sdf, .graphml (``.gz`` too), .npz or .safetensors.

        Raises
        ------
        UserError
            For a broken row.
        """
        from symdiff.domains.molecule_files import read

        return read(path)

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write .smi, .csv, .sdf (2D), .npz, .safetensors or .graphml; what does not sanitize as it stands."""
        from symdiff.domains.molecule_files import write

        write(objs, path)

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw the first molecules; False where there are none."""
        from symdiff.domains.molecule_picture import draw

        if not objs:
            return False
        draw(objs, path)
        return True
