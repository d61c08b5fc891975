"""Plain graphs: networkx graphs and PyG data, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.domains.graph_writing import write_graphs
from symdiff.errors import UserError
from symdiff.graphs.edge_list import EdgeList, check
from symdiff.graphs.files import read_graphs
from symdiff.graphs.graphml import from_drawing, read_labels
from symdiff.state import State
from symdiff.storage.atomic import write_file

if TYPE_CHECKING:
    from symdiff.domains.graph import Graph


class GraphCodec(Codec):
    """Plain graphs as networkx graphs, whose nodes and edges have the attribute ``label`` where there is more than one.

    Parameters
    ----------
    domain : Graph
        Which labels there are, and how large a graph may be.
    """

    def __init__(self, domain: Graph) -> None:
        self.domain = domain

    def encode(self, obj) -> Arrays:
        """Take the nodes and edges of a networkx graph or a PyG ``Data``, in its order of nodes.

        Raises
        ------
        UserError
            For what is directed, has loops or parallel edges, too many nodes, or labels out of range.
        """
        if hasattr(obj, "edge_index"):
            return self._from_pyg(obj)
        return self._from_networkx(obj)

    def _from_networkx(self, graph) -> Arrays:
        import networkx

        if not isinstance(graph, networkx.Graph):
            raise UserError(f"expected a networkx graph or a PyG Data, got {type(graph).__name__}")
        return self.record_of(from_drawing(graph, self.domain.max_nodes))

    def _from_pyg(self, data) -> Arrays:
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

    def record(self, nodes: np.ndarray, ends: np.ndarray, labels: np.ndarray) -> Arrays:
        """Make the record of a graph that is given by arrays.

        Parameters
        ----------
        nodes : ndarray
            (n,), the labels of the nodes.
        ends : ndarray
            (E, 2), the edges, in any order.
        labels : ndarray
            (E,), the labels of the edges.

        Returns
        -------
        Arrays
            As ``encode`` returns it.

        Raises
        ------
        UserError
            For labels out of range, and for what is no simple graph.
        """
        return self.record_of(
            check(
                len(nodes),
                np.asarray(ends).reshape(-1, 2),
                np.asarray(nodes),
                np.asarray(labels),
                self.domain.max_nodes,
            )
        )

    def record_of(self, graph: EdgeList) -> Arrays:
        """Make the record of a graph; without labels they are 0 for nodes and 1 for edges.

        Parameters
        ----------
        graph : EdgeList
            A simple graph.

        Returns
        -------
        Arrays
            As ``encode`` returns it.

        Raises
        ------
        UserError
            For too many nodes, and labels out of range.
        """
        nodes = np.zeros(graph.num_nodes, np.int64) if graph.node_labels is None else graph.node_labels
        labels = np.ones(len(graph.edges), np.int64) if graph.edge_labels is None else graph.edge_labels
        if graph.num_nodes > self.domain.max_nodes:
            raise UserError(f"too large: {graph.num_nodes} nodes, at most {self.domain.max_nodes} are read")
        if nodes.min() < 0 or nodes.max() >= self.domain.node_classes:
            raise UserError(f"label: a node label outside 0 to {self.domain.node_classes - 1}")
        if len(labels) and (labels.min() < 1 or labels.max() >= self.domain.edge_classes):
            raise UserError(f"label: an edge label outside 1 to {self.domain.edge_classes - 1}")
        hidden = self.domain.properties.hidden()
        return {"node": nodes, "edges": graph.edges.astype(np.int16), "edge": labels, **hidden}

    def records(self, state: State) -> list[Arrays]:
        """Take the records of a batch, one for each structure.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of Arrays
            As ``encode`` returns them.
        """
        nodes, edges = state["node"].cpu(), state["edge"].cpu().triu(1)
        records = []
        for row, size in enumerate(state.num_nodes.tolist()):
            ends = torch.nonzero(edges[row, :size, :size])
            labels = edges[row][ends[:, 0], ends[:, 1]]
            records.append({"node": nodes[row, :size].numpy(), "edges": ends.numpy(), "edge": labels.numpy()})
        return records

    def decode(self, state: State) -> list:
        """Make networkx graphs with nodes 0 .. n - 1; labels are attributes where there is more than one."""
        return [self.graph_of(record) for record in self.records(state)]

    to_networkx = decode

    def graph_of(self, record: Arrays):
        """Make the networkx graph of a record.

        Parameters
        ----------
        record : Arrays
            As ``encode`` returns it.

        Returns
        -------
        networkx.Graph
            With nodes 0 .. n - 1.
        """
        import networkx

        graph = networkx.Graph()
        named = self.domain.node_classes > 1
        graph.add_nodes_from((k, {"label": label} if named else {}) for k, label in enumerate(record["node"].tolist()))
        named = self.domain.edge_classes > 2
        for (i, j), label in zip(record["edges"].tolist(), record["edge"].tolist(), strict=True):
            graph.add_edge(i, j, **({"label": label} if named else {}))
        return graph

    def to_pyg(self, state: State) -> list:
        """Convert to ``x`` (n, 1) node labels, ``edge_index`` (2, 2E) both ways, ``edge_attr`` (2E,) edge labels."""
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
        """Read networkx graphs from the formats of ``symdiff.graphs.files``.

        Raises
        ------
        UserError
            For a file that cannot be read, and a graph that does not fit the domain.
        """
        graph_set = read_graphs(path, self.domain.max_nodes)
        graphs = []
        for record, graph in zip(graph_set.records, graph_set.graphs, strict=True):
            try:
                if graph is None:
                    raise UserError(record.reason)
                graphs.append(self.graph_of(self.record_of(graph)))
            except UserError as error:
                raise UserError(f"{path}: graph {record.number}: {error}") from error
        return graphs

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw the first graphs; False where there are none."""
        from symdiff.domains.graph_picture import picture

        if not objs:
            return False
        write_file(path, picture(objs))
        return True

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write networkx graphs (or PyG ``Data``) to .graphml, .npz or .safetensors.

        Raises
        ------
        UserError
            For a graph that does not fit the domain, and where the file cannot be written.
        """
        write_graphs(map(self.encode, objs), self.domain, path)


def _labels(values, count: int, place: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (count,):
        raise UserError(f"{place}: expected one label each, shape ({count},) or ({count}, 1), got {array.shape}")
    return read_labels(array.tolist(), place)
