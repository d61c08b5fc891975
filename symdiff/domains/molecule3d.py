"""Molecules in 3D: atoms with their formal charge, coordinates and, if wanted, Kekule bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symdiff.config.ranges import Nodes
from symdiff.domains.base import Domain
from symdiff.domains.file_kinds import FileKind, Wanted
from symdiff.domains.molecule import BONDS
from symdiff.domains.molecule3d_codec import Molecule3DCodec
from symdiff.domains.molecule3d_options import Molecule3DOptions
from symdiff.domains.property_set import Properties
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.state import Categorical, Real, Schema, State
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_headers


class Molecule3D(Domain):
    """Molecules with coordinates: atoms ``C``, ``N+``, ``O-``, ... at centered positions, every hydrogen among them.

    The group is S_n x O(3), or S_n x SO(3) for ``chiral`` molecules. Translations are no part of it: positions have
    mean zero, and so must have the noise.

    Parameters
    ----------
    atoms : sequence of str
        The labels of nodes: an element and its formal charge.
    bonds : bool
        Whether bonds (none, single, double, triple) are part of the structure.
    chiral : bool
        Whether mirror images are different structures.
    max_nodes : int
        Atoms of the largest molecule that is read.
    properties : mapping of str to mapping, optional
        Numbers of a molecule that are given, each as ``Property`` says: a condition, standardized, and its marker,
        which says whether the property is given.

    Raises
    ------
    UserError
        Where there is no label, or one twice, and for a property that cannot be read.
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
        self.properties = Properties(properties, ("atom", "position", "bond"))
        self.bonds, self.chiral, self.max_nodes = bool(bonds), bool(chiral), int(max_nodes)
        if not self.atoms or len(set(self.atoms)) != len(self.atoms):
            raise UserError(f"atoms: expected different labels, at least one, got {list(self.atoms)}")

    @property
    def schema(self) -> Schema:
        """The fields ``atom``, ``position`` and, with ``bonds``, ``bond``; then the properties.

        ``atom``: label of every node; ``position`` (B, N, 1, 3) angstrom; ``bond``: 0 none, 1 single, 2 double,
        3 triple.
        """
        fields: Schema = {"atom": Categorical("node", len(self.atoms)), "position": Real("node", 1, vector=3)}
        if self.bonds:
            fields = {**fields, "bond": Categorical("pair", len(BONDS), undirected=True)}
        return {**fields, **self.properties.schema}

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every property, and whether it is absent."""
        return self.properties.conditions

    @property
    def options(self) -> Molecule3DOptions:
        """Properties, and a fragment that is known."""
        return Molecule3DOptions(self)

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        """Weigh the histogram by the likelihood of the given properties among molecules of each size."""
        return self.properties.sizes(histogram, condition)

    @property
    def group(self) -> DirectProduct:
        """Permutations of the atoms times rotations, and reflections unless molecules are ``chiral``."""
        return DirectProduct([Symmetric(), Orthogonal(3, special=self.chiral)])

    @property
    def spec(self) -> dict:
        """The settings; ``properties`` only where there are some."""
        settings = {"bonds": self.bonds, "chiral": self.chiral, "max_nodes": self.max_nodes}
        return {"kind": "Molecule3D", "atoms": list(self.atoms), **settings, **self.properties.spec}

    @property
    def recipe(self) -> str:
        """``own-molecules-3d``."""
        return "own-molecules-3d"

    def automatic(self, width: int) -> dict[str, object]:
        """Add whether reflections are left out."""
        return {**super().automatic(width), "special": self.chiral}

    @property
    def codec(self) -> Molecule3DCodec:
        """RDKit molecules with a conformer, ASE ``Atoms`` and PyG ``Data``."""
        return Molecule3DCodec(self)

    def label_names(self, field: str) -> list[str]:
        """Name atoms by element and charge, bonds by their order."""
        return list(self.atoms if field == "atom" else BONDS)


def holds_geometries(path: Path, wanted: Wanted) -> bool:
    """Tell whether a file is one of molecules with coordinates.

    Parameters
    ----------
    path : Path
        The file.
    wanted : Wanted
        How files are taken that could be of two kinds.

    Returns
    -------
    bool
        True for coordinates.

    Raises
    ------
    UserError
        Where it cannot be read.
    """
    from symdiff.chemistry import formats
    from symdiff.graphs.files import recognize

    if path.name.lower().endswith(ARRAYS):
        return {"z", "pos"} <= read_headers(path).keys()
    if path.is_file() and recognize(path) is not None:  # graphs
        return False
    return formats.recognize(path) == "xyz" or wanted.coordinates


KIND = FileKind("molecule-3d", "molecules in 3D", holds_geometries)
