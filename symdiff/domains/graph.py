"""Plain graphs, with or without labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from symdiff.domains.arrays import MAX_NODES, Record, pack
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.groups.base import Group
from symdiff.groups.permutations import Symmetric
from symdiff.state import Categorical, Schema, State


class Graph(Domain):
    """Undirected graphs without loops. Nodes carry labels 0 .. ``node_classes`` - 1, edges 1 .. ``edge_classes`` - 1.

    As objects they are networkx graphs whose nodes and edges have the attribute ``label`` where there is more than one.
    """

    def __init__(self, node_classes: int = 1, edge_classes: int = 2, max_nodes: int = 2048) -> None:
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
        if graph.is_directed() or graph.is_multigraph():
            raise UserError("directed" if graph.is_directed() else "parallel edges")
        place = {node: k for k, node in enumerate(graph)}
        ends = np.array([(place[u], place[v]) for u, v in graph.edges()], np.int64).reshape(-1, 2)
        labels = _integers([label for _, _, label in graph.edges(data="label", default=1)], "edge")
        return self.record(_integers([label for _, label in graph.nodes(data="label", default=0)], "node"), ends, labels)

    def _from_pyg(self, data) -> Record:
        index = np.asarray(data.edge_index).reshape(2, -1).T
        attributes = getattr(data, "edge_attr", None)
        labels = np.ones(len(index), np.int64) if attributes is None else _labels(attributes, len(index), "edge_attr")
        features = getattr(data, "x", None)
        nodes = np.zeros(data.num_nodes, np.int64) if features is None else _labels(features, data.num_nodes, "x")
        both = {(int(i), int(j)): int(label) for (i, j), label in zip(index, labels, strict=True)}
        if len(both) != len(index):
            raise UserError("parallel edges")
        if any(both.get((j, i)) != label for (i, j), label in both.items()):
            raise UserError("directed")
        once = index[:, 0] <= index[:, 1]
        return self.record(nodes, index[once], labels[once])

    def record(self, nodes: np.ndarray, ends: np.ndarray, labels: np.ndarray) -> Record:
        """The record of node labels (n,), edges (E, 2) in any order and their labels (E,). Raises UserError."""
        count = len(nodes)
        if not 1 <= count <= self.max_nodes:
            raise UserError("no nodes" if not count else f"more than {self.max_nodes} nodes")
        ends = np.sort(np.asarray(ends, np.int64).reshape(-1, 2), axis=1)
        if len(ends) and (ends.min() < 0 or ends.max() >= count):
            raise UserError("an edge to a node that is not there")
        if (ends[:, 0] == ends[:, 1]).any():
            raise UserError("loop")
        keys, first = np.unique(ends[:, 0] * count + ends[:, 1], return_index=True)
        if len(keys) != len(ends):
            raise UserError("parallel edges")
        if nodes.min() < 0 or nodes.max() >= self.node_classes:
            raise UserError(f"a node label outside 0 to {self.node_classes - 1}")
        if len(labels) and (labels.min() < 1 or labels.max() >= self.edge_classes):
            raise UserError(f"an edge label outside 1 to {self.edge_classes - 1}")
        edges = ends[first].astype(np.int16)
        return {"node": nodes.astype(np.int64), "edges": edges, "edge": np.asarray(labels)[first].astype(np.int64)}

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
        return [self._to_networkx(record) for record in self.records(state)]

    def _to_networkx(self, record: Record):
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
        """The networkx graphs of a .graphml, .npz or .safetensors file. Raises UserError for what does not fit."""
        from symdiff.domains.graph_files import read_columns, read_graphml, records

        if Path(path).name.lower().removesuffix(".gz").endswith(".graphml"):
            graphs = read_graphml(path)
            for place, graph in enumerate(graphs, 1):
                try:
                    self.encode(graph)
                except UserError as error:
                    raise UserError(f"{path}: graph {place}: {error}") from error
            return graphs
        found = []
        for place, record in enumerate(records(read_columns(path), self), 1):
            if isinstance(record, UserError):
                raise UserError(f"{path}: graph {place}: {record}")
            found.append(self._to_networkx(record))
        return found

    def write(self, objs: Sequence, path: str | Path) -> None:
        """Write networkx graphs (or PyG ``Data``) to .graphml, .npz or .safetensors. Raises UserError."""
        from symdiff.domains.graph_files import write

        found = [self.encode(obj) for obj in objs]
        write(pack(found, self.schema), [self._to_networkx(record) for record in found], self.spec, path)


def _integers(values: list, place: str) -> np.ndarray:
    try:
        exact = [int(value) for value in values]
    except (TypeError, ValueError) as error:
        raise UserError(f"a {place} label that is not an integer") from error
    if any(isinstance(value, float) and value != whole for value, whole in zip(values, exact, strict=True)):
        raise UserError(f"a {place} label that is not an integer")
    if exact and not -(2**31) < min(exact) <= max(exact) < 2**31:
        raise UserError(f"a {place} label outside of 32 bits")
    return np.array(exact, np.int64)


def _labels(values, count: int, place: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (count,):
        raise UserError(f"{place}: expected one label each, shape ({count},) or ({count}, 1), got {array.shape}")
    return _integers(array.tolist(), place)
