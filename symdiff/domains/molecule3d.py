"""Molecules in space: atoms with their formal charge, coordinates and, if wanted, Kekule bonds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.config.ranges import Nodes
from symdiff.domains.base import Domain, Record
from symdiff.domains.file_kinds import FileKind, Wanted
from symdiff.domains.molecule import BONDS
from symdiff.domains.molecule3d_options import Molecule3DOptions
from symdiff.domains.properties import Property
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import Product
from symdiff.guidance import MARKER, marker
from symdiff.state import Categorical, Real, Schema, State
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_headers


class Molecule3D(Domain):
    """Atoms labelled ``C``, ``N+``, ``O-``, ... at positions in angstrom, centred; every hydrogen is an atom.

    ``bonds``: whether bonds (none, single, double, triple) are part of the structure. ``chiral``: whether mirror images are
    different structures; the group is S_n x SO(3) then, else S_n x O(3). Translations are no part of it: positions have mean
    zero, and so must have the noise. ``properties``: numbers that are given, each as ``Property`` says: a condition, standardized, and
    its marker; where nothing is given the marker says so.
    """

    def __init__(
        self,
        atoms: Sequence[str],
        bonds: bool = True,
        chiral: bool = False,
        max_nodes: Nodes = 512,
        properties: Mapping[str, Mapping] | None = None,
    ) -> None:
        self.atoms = tuple(str(atom) for atom in atoms)
        self.properties = {str(name): Property.read(str(name), plain) for name, plain in (properties or {}).items()}
        self.bonds, self.chiral, self.max_nodes = bool(bonds), bool(chiral), int(max_nodes)
        if not self.atoms or len(set(self.atoms)) != len(self.atoms):
            raise UserError(f"atoms: expected different labels, at least one, got {list(self.atoms)}")

    @property
    def schema(self) -> Schema:
        """``atom``: label of every node; ``position`` (B, N, 1, 3) angstrom; ``bond``: 0 none, 1 single, 2 double, 3 triple."""
        fields: Schema = {"atom": Categorical("node", len(self.atoms)), "position": Real("node", 1, vector=3)}
        if self.bonds:
            fields = {**fields, "bond": Categorical("pair", len(BONDS), undirected=True)}
        return {**fields, **{key: field for name in self.properties for key, field in ((name, Real("whole", 1)), (marker(name), MARKER))}}

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(key for name in self.properties for key in (name, marker(name)))

    @property
    def options(self) -> Molecule3DOptions:
        return Molecule3DOptions(self)

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        found = list(histogram)
        for name, one in self.properties.items():
            if condition is not None and not bool(condition[marker(name)].any()):
                found = one.likely(found, float(condition[name][0, 0]))
        return found

    @property
    def group(self) -> Product:
        return Product([Symmetric(), Orthogonal(3, special=self.chiral)])

    @property
    def spec(self) -> dict:
        settings = {"bonds": self.bonds, "chiral": self.chiral, "max_nodes": self.max_nodes}
        given = {"properties": {name: dict(vars(one)) for name, one in self.properties.items()}} if self.properties else {}
        return {"kind": "Molecule3D", "atoms": list(self.atoms), **settings, **given}

    def label_names(self, field: str) -> list[str]:
        return list(self.atoms if field == "atom" else BONDS)

    def encode(self, obj) -> Record:
        """``atom`` (n,), ``position`` (n, 1, 3) and, with ``bonds``, ``edges`` (E, 2) and ``bond`` (E,); properties are absent.

        Of an RDKit molecule with a conformer, an ASE Atoms, a PyG Data with ``z`` and ``pos``, or a ``Geometry``. Atoms stand in the
        order of the canonical SMILES, hydrogens right behind their atom, the center of the atoms at the origin. Bonds that
        are not given are perceived. Raises UserError for overlapping atoms, coordinates that are not finite or look like bohr,
        no atoms or too many, radicals, broken valences, elements or charges that are not among ``atoms``, and for the total
        charge of a molecule whose atoms have none.
        """
        from symdiff.chemistry.geometry import geometry_of
        from symdiff.chemistry.perception import prepared

        return self.label(prepared(geometry_of(obj), self.bonds, self.max_nodes))

    def label(self, geometry) -> Record:
        """The record of a ``Geometry``, its atoms in their order, centred. Raises UserError for a label not among ``atoms``."""
        from symdiff.chemistry import kekule

        places = {atom: k for k, atom in enumerate(self.atoms)}
        labels = [kekule.label(e, c) for e, c in zip(geometry.element.tolist(), geometry.charge.tolist(), strict=True)]
        unknown = sorted({text for text in labels if text not in places})
        if unknown:
            raise UserError(f"atom {unknown[0]} is not among {', '.join(self.atoms)}")
        position = (geometry.position - geometry.position.mean(0)).astype(np.float32)
        record: Record = {"atom": np.array([places[text] for text in labels], np.uint8), "position": position[:, None]}
        record["edges"] = geometry.edges if self.bonds else np.zeros((0, 2), np.int16)
        for name in self.properties:
            record.update({name: np.zeros(1, np.float32), marker(name): np.array(1)})
        return {**record, "bond": geometry.order} if self.bonds else record

    def geometries(self, state: State) -> list:
        """A ``Geometry`` for every structure of a batch: any labels, bonds and coordinates."""
        from symdiff.chemistry import kekule
        from symdiff.chemistry.geometry import Geometry

        labels = [kekule.parse_label(text) for text in self.atoms]
        element, charge = np.array([e for e, _ in labels], np.uint8), np.array([c for _, c in labels], np.int8)
        atoms, position = state["atom"].cpu().numpy(), state["position"].double().cpu().numpy()[:, :, 0]
        bonds = state["bond"].triu(1).cpu().numpy() if self.bonds else None
        found = []
        for row, size in enumerate(state.num_nodes.tolist()):
            kinds = atoms[row, :size]
            charges = charge[kinds]
            edges = order = None
            if bonds is not None:
                ends = np.argwhere(bonds[row])
                edges, order = ends.astype(np.int16), bonds[row][tuple(ends.T)].astype(np.uint8)
            found.append(Geometry(element[kinds], charges, position[row, :size], edges, order, int(charges.sum())))
        return found

    def decode(self, state: State) -> list:
        """RDKit molecules with a conformer: unsanitized, charges set, no implicit hydrogens. Anything decodes."""
        from symdiff.chemistry.geometry import to_rdkit

        return [to_rdkit(geometry) for geometry in self.geometries(state)]

    def to_ase(self, state: State) -> list:
        """ASE Atoms, formal charges as the array ``formal_charge``; bonds are lost."""
        from symdiff.chemistry.geometry import to_ase

        return [to_ase(geometry) for geometry in self.geometries(state)]

    def to_pyg(self, state: State) -> list:
        """PyG Data with ``z``, ``charge``, ``pos`` and, with ``bonds``, ``edge_index`` and ``edge_attr``."""
        from symdiff.chemistry.geometry import to_pyg

        return [to_pyg(geometry) for geometry in self.geometries(state)]

    def inspect(self, state: State) -> list[tuple[str | None, str | None]]:
        """(canonical SMILES, None) for every structure that sanitizes, else (None, reason); without ``bonds`` they are perceived.

        Atoms with unpaired electrons are refused: all hydrogens are there, or they are missing.
        """
        from symdiff.chemistry.perception import verdict

        return [verdict(geometry) for geometry in self.geometries(state)]

    def smiles(self, state: State) -> list[str | None]:
        """The canonical SMILES of every structure, None where it has none (``inspect`` says why)."""
        return [text for text, _ in self.inspect(state)]

    def read(self, path: str | Path) -> list:
        """RDKit molecules of a file: .sdf, .xyz, .extxyz (``.gz`` too) or .npz. Raises UserError for a broken entry."""
        from symdiff.chemistry.geometry import to_rdkit
        from symdiff.chemistry.geometry_files import read

        return [to_rdkit(geometry) for geometry in read(path, self.max_nodes)]

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write molecules to .sdf, .xyz, .extxyz or .npz, as they stand; a .png shows the first ones."""
        from symdiff.chemistry.geometry_files import write

        write(objs, path)

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """The first molecules as a picture. Raises UserError."""
        self.write(objs, path)
        return True


def holds_geometries(path: Path, wanted: Wanted) -> bool:
    """Whether a file is one of molecules with coordinates. Raises UserError where it cannot be read."""
    from symdiff.chemistry import formats
    from symdiff.graphs.files import recognize

    if path.name.lower().endswith(ARRAYS):
        return {"z", "pos"} <= read_headers(path).keys()
    if path.is_file() and recognize(path) is not None:  # graphs
        return False
    return formats.recognize(path) == "xyz" or wanted.coordinates


KIND = FileKind("molecule-3d", "molecules in 3D", holds_geometries)
