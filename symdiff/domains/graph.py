"""Plain graphs, with or without labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symdiff.domains.base import Domain, Record
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric
from symdiff.state import Categorical, Schema, State


class Graph(Domain):
    """Undirected graphs without loops; ``edge_classes`` counts "no edge" as label 0."""

    def __init__(self, node_classes: int = 1, edge_classes: int = 2, max_nodes: int = 2048) -> None:
        self.node_classes, self.edge_classes, self.max_nodes = int(node_classes), int(edge_classes), int(max_nodes)

    @property
    def schema(self) -> Schema:
        return {"node": Categorical("node", self.node_classes), "edge": Categorical("pair", self.edge_classes, undirected=True)}

    @property
    def group(self) -> Group:
        return Symmetric()

    @property
    def spec(self) -> dict:
        return {
            "kind": "Graph",
            "node_classes": self.node_classes,
            "edge_classes": self.edge_classes,
            "max_nodes": self.max_nodes,
        }

    def encode(self, obj) -> Record:
        raise NotImplementedError

    def decode(self, state: State) -> list:
        raise NotImplementedError

    def read(self, path: str | Path) -> list:
        raise NotImplementedError

    def write(self, objs: Sequence, path: str | Path) -> None:
        raise NotImplementedError
