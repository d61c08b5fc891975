"""Plain graphs, with or without labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from symdiff.config.ranges import Classes, Nodes
from symdiff.domains.arrays import MAX_NODES, Record
from symdiff.domains.base import Domain
from symdiff.domains.file_kinds import FileKind, Wanted
from symdiff.domains.graph_writing import write_graphs
from symdiff.domains.molecule_graphs import holds_molecules
from symdiff.errors import UserError
from symdiff.graphs.edge_list import EdgeList, check
from symdiff.graphs.files import read_graphs, recognize
from symdiff.graphs.graphml import from_drawing, read_labels
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric
from symdiff.state import Categorical, Schema, State
from symdiff.storage.arrays import ENDINGS as ARRAYS


class Graph(Domain):
    """Undirected graphs without loops. Nodes carry labels 0 .. ``node_classes`` - 1, edges 1 .. ``edge_classes`` - 1.

    As objects they are networkx graphs whose nodes and edges have the attribute ``label`` where there is more than one.
    """

    def __init__(self, node_classes: Classes = 1, edge_classes: Classes = 2, max_nodes: Nodes = 2048) -> None:
        self.node_classes, self.edge_classes, self.max_nodes = int(node_classes), int(edge_classes), int(max_nodes)
        if self.node_classes < 1 or self.edge_classes < 2 or not 1 <= self.max_nodes <= MAX_NODES:
            raise UserError(
                "Graph: expected node_classes >= 1, edge_classes >= 2 (no edge counts as one) and "
                f"1 <= max_nodes <= {MAX_NODES}, got {node_classes}, {edge_classes} and {max_nodes}"
            )

    @property
    def schema(self) -> Schema:
        """``node``: label of every node; ``edge``: 0 for no edge, else the label, of every pair."""
        return {
            "node": Categorical("node", self.node_classes),
            "edge": Categorical("pair", self.edge_classes, undirected=True),
        }

    @property
    def group(self) -> Group:
        return Symmetric()

    @property
    def spec(self) -> dict:
        sizes = {"node_classes": self.node_classes, "edge_classes": self.edge_classes, "max_nodes": self.max_nodes}
        return {"kind": "Graph", **sizes}

    def encode(self, obj) -> Record:
        """``node`` (n,), ``edges`` (E, 2), ``edge`` (E,) of a networkx graph or a PyG ``Data``, in its order of nodes.

        Raises UserError for what is directed, has loops or parallel edges, too many nodes, or labels out of range.
        """
        if hasattr(obj, "edge_index"):
            return self._from_pyg(obj)
        return self._from_networkx(obj)

    def _from_networkx(self, graph) -> Record:
        import networkx

        if not isinstance(graph, networkx.Graph):
            raise UserError(f"expected a networkx graph or a PyG Data, got {type(graph).__name__}")
        return self.record_of(from_drawing(graph, self.max_nodes))

    def _from_pyg(self, data) -> Record:
        index = np.asarray(data.edge_index).reshape(2, -1).T
        attributes = getattr(data, "edge_attr", None)
        labels = np.ones(len(index), np.int64) if attributes is None else _labels(attributes, len(index), "edge_attr")
        features = getattr(data, "x", None)
        nodes = np.zeros(data.num_nodes, np.int64) if features is None else _labels(features, data.num_nodes, "x")
        both = {(int(i), int(j)): int(label) for (i, j), label in zip(index, labels, strict=True)}
        if len(both) != len(index):
            raise UserError("parallel edges: edge_index has a pair twice")
        if any(both.get((j, i)) != label for (i, j), label in both.items()):
            raise UserError("directed: edge_index and edge_attr need every edge both ways")
        once = index[:, 0] <= index[:, 1]
        return self.record(nodes, index[once], labels[once])

    def record(self, nodes: np.ndarray, ends: np.ndarray, labels: np.ndarray) -> Record:
        """The record of node labels (n,), edges (E, 2) in any order and their labels (E,). Raises UserError."""
        return self.record_of(check(len(nodes), np.asarray(ends).reshape(-1, 2), np.asarray(nodes), np.asarray(labels), self.max_nodes))

    def record_of(self, graph: EdgeList) -> Record:
        """The record of a graph; without labels they are 0 for nodes and 1 for edges. Raises UserError for labels out of range."""
        nodes = np.zeros(graph.num_nodes, np.int64) if graph.node_labels is None else graph.node_labels
        labels = np.ones(len(graph.edges), np.int64) if graph.edge_labels is None else graph.edge_labels
        if graph.num_nodes > self.max_nodes:
            raise UserError(f"too large: {graph.num_nodes} nodes, at most {self.max_nodes} are read")
        if nodes.min() < 0 or nodes.max() >= self.node_classes:
            raise UserError(f"label: a node label outside 0 to {self.node_classes - 1}")
        if len(labels) and (labels.min() < 1 or labels.max() >= self.edge_classes):
            raise UserError(f"label: an edge label outside 1 to {self.edge_classes - 1}")
        return {"node": nodes, "edges": graph.edges.astype(np.int16), "edge": labels}

    def records(self, state: State) -> list[Record]:
        """The arrays of every structure of a batch."""
        nodes, edges = state["node"].cpu(), state["edge"].cpu().triu(1)
        found = []
        for row, size in enumerate(state.num_nodes.tolist()):
            ends = torch.nonzero(edges[row, :size, :size])
            labels = edges[row][ends[:, 0], ends[:, 1]]
            found.append({"node": nodes[row, :size].numpy(), "edges": ends.numpy(), "edge": labels.numpy()})
        return found

    def decode(self, state: State) -> list:
        """networkx graphs with nodes 0 .. n - 1; labels as attributes where there is more than one."""
        return [self.to_networkx(record) for record in self.records(state)]

    def to_networkx(self, record: Record):
        """The networkx graph of a record."""
        import networkx

        graph = networkx.Graph()
        named = self.node_classes > 1
        graph.add_nodes_from((k, {"label": label} if named else {}) for k, label in enumerate(record["node"].tolist()))
        named = self.edge_classes > 2
        for (i, j), label in zip(record["edges"].tolist(), record["edge"].tolist(), strict=True):
            graph.add_edge(i, j, **({"label": label} if named else {}))
        return graph

    def to_pyg(self, state: State) -> list:
        """PyG ``Data``: ``x`` (n, 1) node labels, ``edge_index`` (2, 2E) both ways, ``edge_attr`` (2E,) edge labels."""
        from torch_geometric.data import Data

        graphs = []
        for record in self.records(state):
            ends = torch.as_tensor(record["edges"]).long().T
            labels = torch.as_tensor(record["edge"]).long()
            index = torch.cat([ends, ends.flip(0)], 1)
            x = torch.as_tensor(record["node"]).long()[:, None]
            graphs.append(Data(x=x, edge_index=index, edge_attr=labels.repeat(2), num_nodes=len(x)))
        return graphs

    def read(self, path: str | Path) -> list:
        """The networkx graphs of a file, see ``symdiff.graphs.files``. Raises UserError for what does not fit."""
        found = read_graphs(path, self.max_nodes)
        graphs = []
        for record, graph in zip(found.records, found.graphs, strict=True):
            try:
                if graph is None:
                    raise UserError(record.reason)
                graphs.append(self.to_networkx(self.record_of(graph)))
            except UserError as error:
                raise UserError(f"{path}: graph {record.number}: {error}") from error
        return graphs

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write networkx graphs (or PyG ``Data``) to .graphml, .npz or .safetensors. Raises UserError."""
        write_graphs(map(self.encode, objs), self, path)


def _labels(values, count: int, place: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (count,):
        raise UserError(f"{place}: expected one label each, shape ({count},) or ({count}, 1), got {array.shape}")
    return read_labels(array.tolist(), place)


def holds_graphs(path: Path, wanted: Wanted) -> bool:
    """Whether a file is one of graphs, but not of molecules. Raises UserError where it cannot be read."""
    is_arrays = path.name.lower().endswith(ARRAYS)
    return not wanted.atoms and (is_arrays or path.is_file()) and recognize(path) is not None and not holds_molecules(path)


KIND = FileKind("graph", "graphs", holds_graphs)
