"""Plain graphs, with or without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from symdiff.config.ranges import Classes, Nodes
from symdiff.domains.arrays import MAX_NODES
from symdiff.domains.base import Domain
from symdiff.domains.file_kinds import FileKind, Wanted
from symdiff.domains.graph_codec import GraphCodec
from symdiff.domains.graph_options import GraphOptions
from symdiff.domains.molecule_graphs import holds_molecules
from symdiff.domains.property_set import Properties
from symdiff.errors import UserError
from symdiff.graphs.files import recognize
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric
from symdiff.state import Categorical, Schema, State
from symdiff.storage.arrays import ENDINGS as ARRAYS

FIELDS = ("node", "edge")


class Graph(Domain):
    """Undirected graphs without loops, with labels of nodes and of edges.

    As objects they are networkx graphs whose nodes and edges have the attribute ``label`` where there is more than one.

    Parameters
    ----------
    node_classes : int
        Labels of nodes, 0 to ``node_classes`` - 1.
    edge_classes : int
        Labels of pairs of nodes: 0 says that there is no edge, edges have 1 to ``edge_classes`` - 1.
    max_nodes : int
        Nodes of the largest graph that is read.
    conditions : sequence of {"node", "edge"}
        What is given, not generated: with ["edge"] the labels of the nodes of given graphs are.
    properties : mapping of str to mapping, optional
        Numbers of a graph that are given, each as ``Property`` says.

    Raises
    ------
    UserError
        For a number out of range, and unknown conditions or nothing that is left to generate.
    """

    def __init__(
        self,
        node_classes: Classes = 1,
        edge_classes: Classes = 2,
        max_nodes: Nodes = 2048,
        conditions: Sequence[str] = (),
        properties: Mapping[str, Mapping] | None = None,
    ) -> None:
        unknown = next((name for name in conditions if name not in FIELDS), None)
        if isinstance(conditions, str) or unknown is not None or len(set(conditions)) == len(FIELDS):
            raise UserError(f"Graph: conditions: expected some of {', '.join(FIELDS)}, not all, got {conditions}")
        self.given = tuple(name for name in FIELDS if name in conditions)
        self.properties = Properties(properties, FIELDS)
        self.node_classes, self.edge_classes, self.max_nodes = int(node_classes), int(edge_classes), int(max_nodes)
        if self.node_classes < 1 or self.edge_classes < 2 or not 1 <= self.max_nodes <= MAX_NODES:
            raise UserError(
                "Graph: expected node_classes >= 1, edge_classes >= 2 (no edge counts as one) and "
                f"1 <= max_nodes <= {MAX_NODES}, got {node_classes}, {edge_classes} and {max_nodes}"
            )

    @property
    def schema(self) -> Schema:
        """``node``: label of every node; ``edge``: 0 for no edge, else the label, of every pair; the properties."""
        return {
            "node": Categorical("node", self.node_classes),
            "edge": Categorical("pair", self.edge_classes, undirected=True),
            **self.properties.schema,
        }

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those of the settings, then the properties."""
        return (*self.given, *self.properties.conditions)

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        """p(number of nodes | condition), by the properties that are given."""
        return self.properties.sizes(histogram, condition)

    @property
    def group(self) -> Group:
        """All permutations of the nodes."""
        return Symmetric()

    @property
    def spec(self) -> dict:
        """The settings; ``conditions`` only where there are some."""
        sizes = {"node_classes": self.node_classes, "edge_classes": self.edge_classes, "max_nodes": self.max_nodes}
        given = {"conditions": list(self.given)} if self.given else {}
        return {"kind": "Graph", **sizes, **given, **self.properties.spec}

    @property
    def recipe(self) -> str:
        """``own-graphs``."""
        return "own-graphs"

    @property
    def codec(self) -> GraphCodec:
        """Graphs of networkx and torch-geometric."""
        return GraphCodec(self)

    @property
    def options(self) -> GraphOptions:
        """A file of the given graphs, for a domain with conditions."""
        return GraphOptions(self)


def holds_graphs(path: Path, wanted: Wanted) -> bool:
    """Tell whether a file is one of graphs, but not of molecules.

    Parameters
    ----------
    path : Path
        The file.
    wanted : Wanted
        How files are taken that could be of two kinds.

    Returns
    -------
    bool
        True for graphs.

    Raises
    ------
    UserError
        Where it cannot be read.
    """
    is_arrays = path.name.lower().endswith(ARRAYS)
    return (
        not wanted.atoms and (is_arrays or path.is_file()) and recognize(path) is not None and not holds_molecules(path)
    )


KIND = FileKind("graph", "graphs", holds_graphs)
