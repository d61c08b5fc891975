"""Molecules as labelled graphs: atoms with their formal charge, Kekule bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symdiff.config.ranges import Nodes
from symdiff.domains.base import Domain
from symdiff.domains.molecule_codec import MoleculeCodec
from symdiff.domains.molecule_options import MoleculeOptions
from symdiff.domains.options import Options
from symdiff.domains.property_set import Properties
from symdiff.errors import UserError
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric
from symdiff.state import Categorical, Schema, State

BONDS = ("none", "single", "double", "triple")


class MolecularGraph(Domain):
    """Molecules as graphs of atoms ``C``, ``N+``, ``O-``, ... with bonds none, single, double and triple.

    The structure is the Kekule graph: no stereo marks, no aromatic flags, no isotopes.

    Parameters
    ----------
    atoms : sequence of str
        The labels of nodes: an element and its formal charge. Hydrogens are implied by valence unless ``H`` is among
        them: then all of them are nodes.
    max_nodes : int
        Atoms of the largest molecule that is read.
    properties : mapping of str to mapping, optional
        Numbers of a molecule that are given, each as ``Property`` says.

    Raises
    ------
    UserError
        Where there is no label, or one twice.
    """

    def __init__(
        self, atoms: Sequence[str], max_nodes: Nodes = 512, properties: Mapping[str, Mapping] | None = None
    ) -> None:
        self.atoms = tuple(str(atom) for atom in atoms)
        self.max_nodes = int(max_nodes)
        self.properties = Properties(properties, ("atom", "bond"))
        if not self.atoms or len(set(self.atoms)) != len(self.atoms):
            raise UserError(f"atoms: expected different labels, at least one, got {list(self.atoms)}")

    @property
    def schema(self) -> Schema:
        """``atom``: label of a node; ``bond``: 0 none, 1 single, 2 double, 3 triple of every pair; the properties."""
        fields = {
            "atom": Categorical("node", len(self.atoms)),
            "bond": Categorical("pair", len(BONDS), undirected=True),
        }
        return {**fields, **self.properties.schema}

    @property
    def conditions(self) -> tuple[str, ...]:
        return self.properties.conditions

    @property
    def options(self) -> Options:
        return MoleculeOptions(self)

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        return self.properties.sizes(histogram, condition)

    @property
    def group(self) -> Group:
        """All permutations of the atoms."""
        return Symmetric()

    @property
    def spec(self) -> dict:
        """The settings."""
        return {
            "kind": "MolecularGraph",
            "atoms": list(self.atoms),
            "max_nodes": self.max_nodes,
            **self.properties.spec,
        }

    @property
    def hydrogens(self) -> bool:
        """Whether hydrogens are nodes."""
        return "H" in self.atoms

    @property
    def recipe(self) -> str:
        """``own-molecules``."""
        return "own-molecules"

    @property
    def codec(self) -> MoleculeCodec:
        """SMILES and RDKit molecules."""
        return MoleculeCodec(self)

    def label_names(self, field: str) -> list[str]:
        """Name atoms by element and charge, bonds by their order."""
        return list(self.atoms if field == "atom" else BONDS)
