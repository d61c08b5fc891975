"""Molecules in 3D: RDKit molecules, ASE Atoms and PyG data, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.errors import UserError
from symdiff.state import State
from symdiff.storage.atomic import write_file

if TYPE_CHECKING:
    from symdiff.domains.molecule3d import Molecule3D


HIDDEN = (0, 0)
"""Element and charge of what is shown for one label more than there are: an atom that a process hides still."""


class Molecule3DCodec(Codec):
    """Molecules in 3D as RDKit molecules with a conformer, ASE ``Atoms``, PyG ``Data`` or ``Geometry``s.

    Parameters
    ----------
    domain : Molecule3D
        Which atoms there are, and whether there are bonds.
    """

    def __init__(self, domain: Molecule3D) -> None:
        self.domain = domain

    def encode(self, obj) -> Arrays:
        """Take the atoms, the centered positions in ångström and maybe the bonds of a molecule.

        The record has ``atom`` (n,), ``position`` (n, 1, 3) and, with ``bonds``, ``edges`` (E, 2) and ``bond`` (E,);
        properties are absent. The molecule is an RDKit molecule with a conformer, an ASE ``Atoms``, a PyG ``Data`` with
        ``z`` and ``pos``, or a ``Geometry``. Atoms stand in the order of the canonical SMILES, hydrogens right behind
        their atom, the center of the atoms at the origin. Bonds that are not given are perceived.

        Raises
        ------
        UserError
            For overlapping atoms, coordinates that are not finite or look like bohr, no atoms or too many, radicals,
            broken valences, elements or charges that are not among ``atoms``, and for the total charge of a molecule
            whose atoms have none.
        """
        from symdiff.chemistry.geometry import geometry_of
        from symdiff.chemistry.perception import prepare

        return self.label(prepare(geometry_of(obj), self.domain.bonds, self.domain.max_nodes))

    def label(self, geometry) -> Arrays:
        """Make the record of a ``Geometry``, its atoms in their order, centered.

        Parameters
        ----------
        geometry : Geometry
            Positions in ångström; with bonds where the domain has them.

        Returns
        -------
        Arrays
            As ``encode`` returns it.

        Raises
        ------
        UserError
            For a label not among ``atoms``.
        """
        from symdiff.chemistry import kekule

        places = {atom: k for k, atom in enumerate(self.domain.atoms)}
        labels = [kekule.label(e, c) for e, c in zip(geometry.element.tolist(), geometry.charge.tolist(), strict=True)]
        unknown = sorted({text for text in labels if text not in places})
        if unknown:
            raise UserError(f"atom {unknown[0]} is not among {', '.join(self.domain.atoms)}")
        position = (geometry.position - geometry.position.mean(0)).astype(np.float32)
        record: Arrays = {"atom": np.array([places[text] for text in labels], np.uint8), "position": position[:, None]}
        record["edges"] = geometry.edges if self.domain.bonds else np.zeros((0, 2), np.int16)
        record.update(self.domain.properties.hidden())
        return {**record, "bond": geometry.order} if self.domain.bonds else record

    def geometries(self, state: State) -> list:
        """Make a ``Geometry`` of every structure: any labels, bonds and coordinates.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of Geometry
            Positions in ångström.
        """
        from symdiff.chemistry import kekule
        from symdiff.chemistry.geometry import Geometry

        labels = [*(kekule.parse_label(text) for text in self.domain.atoms), HIDDEN]
        element, charge = np.array([e for e, _ in labels], np.uint8), np.array([c for _, c in labels], np.int8)
        atoms, position = state["atom"].cpu().numpy(), state["position"].double().cpu().numpy()[:, :, 0]
        bonds = state["bond"].triu(1).cpu().numpy() if self.domain.bonds else None
        geometries = []
        for row, size in enumerate(state.num_nodes.tolist()):
            kinds = atoms[row, :size]
            charges = charge[kinds]
            edges = order = None
            if bonds is not None:
                ends = np.argwhere(bonds[row])
                edges, order = ends.astype(np.int16), bonds[row][tuple(ends.T)].astype(np.uint8)
            geometries.append(Geometry(element[kinds], charges, position[row, :size], edges, order, int(charges.sum())))
        return geometries

    def decode(self, state: State) -> list:
        """Make RDKit molecules with a conformer: unsanitized, charges set, no implicit hydrogens."""
        from symdiff.chemistry.geometry import to_rdkit

        return [to_rdkit(geometry) for geometry in self.geometries(state)]

    to_rdkit = decode

    def to_networkx(self, state: State) -> list:
        """Convert to graphs with positions as attributes of nodes."""
        from symdiff.domains.molecule_conversion import to_networkx

        return to_networkx(state, self.domain.atoms)

    def to_ase(self, state: State) -> list:
        """Convert to ``Atoms`` with formal charges as the array ``formal_charge``; bonds are lost."""
        from symdiff.chemistry.geometry import to_ase

        return [to_ase(geometry) for geometry in self.geometries(state)]

    def to_pyg(self, state: State) -> list:
        """Convert to ``z``, ``charge``, ``pos`` and, with ``bonds``, ``edge_index`` and ``edge_attr``."""
        from symdiff.chemistry.geometry import to_pyg

        return [to_pyg(geometry) for geometry in self.geometries(state)]

    def inspect(self, state: State) -> list[tuple[str | None, str | None]]:
        """Tell the canonical SMILES of every structure, or why it has none.

        Without ``bonds`` they are perceived. Atoms with unpaired electrons are refused: all hydrogens are there, or
        they are missing.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of (str or None, str or None)
            The canonical SMILES and None, or None and the reason.
        """
        from symdiff.chemistry.perception import verdict

        return [verdict(geometry) for geometry in self.geometries(state)]

    def smiles(self, state: State) -> list[str | None]:
        """Tell the canonical SMILES of every structure.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of str or None
            None where a structure has none (``inspect`` says why).
        """
        return [text for text, _ in self.inspect(state)]

    def read(self, path: str | Path) -> list:
        """Read RDKit molecules from .sdf, .xyz, .extxyz (``.gz`` too) or .npz.

        Raises
        ------
        UserError
            For a broken entry.
        """
        from symdiff.chemistry.geometry import to_rdkit
        from symdiff.chemistry.geometry_files import read

        return [to_rdkit(geometry) for geometry in read(path, self.domain.max_nodes)]

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write molecules to .sdf, .xyz, .extxyz or .npz, as they stand; a .png shows the first ones."""
        from symdiff.chemistry.geometry_files import write

        write(objs, path)

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw the first molecules.

        Raises
        ------
        UserError
            For what is no molecule with coordinates.
        """
        self.write(objs, path)
        return True

    def draw_like(self, objs: Sequence, like: Sequence, path: str | Path) -> bool:
        """Draw the first molecules, each from the viewpoint from which its partner in ``like`` is seen best."""
        from symdiff.chemistry.geometry import geometry_of
        from symdiff.chemistry.geometry_picture import picture

        shown, viewed = ([geometry_of(obj, strict=False) for obj in some] for some in (objs, like))
        write_file(path, picture(shown, viewed))
        return True
