"""Graphs: networkx, PyG and files -> State and back."""

from __future__ import annotations

import io
import zipfile

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from symdiff.domains.base import domain_from_spec
from symdiff.domains.graph import Graph
from symdiff.errors import UserError
from symdiff.graphs.files import read_graphs

PLAIN, LABELLED = Graph(), Graph(node_classes=3, edge_classes=4)


def labelled(seed: int, nodes: int) -> nx.Graph:
    random = np.random.RandomState(seed)
    graph = nx.gnp_random_graph(nodes, 0.4, seed=seed)
    for node in graph:
        graph.nodes[node]["label"] = int(random.randint(3))
    for i, j in graph.edges:
        graph.edges[i, j]["label"] = int(random.randint(1, 4))
    return graph


@pytest.fixture
def graphs() -> list[nx.Graph]:
    return [labelled(seed, 1 + seed % 9) for seed in range(20)]


def same(first, second) -> bool:
    return nx.utils.graphs_equal(first, second)


def test_networkx_round_trip(graphs):
    state = LABELLED.collate([LABELLED.encode(graph) for graph in graphs])
    assert all(same(a, b) for a, b in zip(LABELLED.decode(state), graphs, strict=True))


def test_pyg_round_trip(graphs):
    pytest.importorskip("torch_geometric", reason="conversions to PyG need the extra pyg")
    state = LABELLED.collate([LABELLED.encode(graph) for graph in graphs])
    datas = LABELLED.codec.to_pyg(state)
    assert all(data.is_undirected() for data in datas)
    again = LABELLED.collate([LABELLED.encode(data) for data in datas])
    assert torch.equal(again["node"], state["node"]) and torch.equal(again["edge"], state["edge"])


@pytest.mark.parametrize("suffix", [".graphml", ".npz", ".safetensors", ".graphml.gz"])
def test_files_keep_the_graphs(tmp_path, graphs, suffix):
    path = tmp_path / f"graphs{suffix}"
    LABELLED.write(graphs, path)
    again = LABELLED.collate([LABELLED.encode(graph) for graph in LABELLED.read(path)])
    state = LABELLED.collate([LABELLED.encode(graph) for graph in graphs])
    assert torch.equal(again["node"], state["node"]) and torch.equal(again["edge"], state["edge"])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 9))
def test_any_state_decodes(seed, nodes):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(nodes) < torch.randint(0, nodes + 1, (3, 1), generator=generator)
    edge = torch.randint(0, 4, (3, nodes, nodes), generator=generator).triu(1)
    edge = (edge + edge.mT) * (mask[:, :, None] & mask[:, None])
    node = torch.randint(0, 3, (3, nodes), generator=generator) * mask
    from symdiff.state import State

    graphs = LABELLED.decode(State(mask, LABELLED.schema, {"node": node, "edge": edge}))
    assert [len(graph) for graph in graphs] == mask.sum(1).tolist()
    assert [graph.number_of_edges() for graph in graphs] == ((edge > 0).sum((1, 2)) // 2).tolist()


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (nx.DiGraph([(0, 1)]), "directed"),
        (nx.MultiGraph([(0, 1), (0, 1)]), "parallel edges"),
        (nx.Graph([(0, 0)]), "loop"),
        (nx.Graph(), "empty: no node"),
        (nx.path_graph(6), "too large: 6 nodes, at most 5"),
        ("a graph", "expected a networkx graph or a PyG Data, got str"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(graph, reason):
    with pytest.raises(UserError, match=reason):
        Graph(max_nodes=5).encode(graph)


@pytest.mark.parametrize("label", [3, -1, "x", None, 1.5, 10**30, float("nan")])
def test_labels_out_of_range_are_refused(label):
    graph = nx.path_graph(2)
    graph.nodes[1]["label"] = label
    with pytest.raises(UserError, match="node label"):
        LABELLED.encode(graph)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npz(path, **entries) -> None:
    whole = {"num_nodes": np.array([3]), "edge_ptr": np.array([0, 1]), "edges": np.array([[0, 1]])}
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in {**whole, **entries}.items():
            if value is not None:
                archive.writestr(f"{name}.npy", value if isinstance(value, bytes) else npy(value))


HUGE = npy(np.zeros((1, 2), np.int64)).replace(b"(1, 2), }" + b" " * 10, b"(999999999, 2), }  ")


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ({"edges": None}, "expected the arrays num_nodes, edge_ptr and edges, got num_nodes, edge_ptr"),
        ({"edges": np.array([object()], object)}, "Python objects"),
        ({"edges": HUGE}, "the file holds"),
        ({"edges": b"nonsense"}, "edges is no array of numpy"),
        ({"edges": np.array([[0.0, 1.0]])}, "edges: expected integers"),
        ({"edges": np.array([[0, 1], [1, 2]])}, "edge_ptr: expected numbers from 0 to 2"),
        ({"edge_ptr": np.array([0, 1, 1])}, "edge_ptr"),
        ({"edge_ptr": np.array([1, 0])}, "edge_ptr"),
        ({"edge_ptr": np.array(1)}, "edge_ptr"),
        ({"num_nodes": np.array(2)}, "num_nodes"),
        ({"num_nodes": np.array([-3])}, "graph 1: size"),
        ({"node_label": np.array([0, 1])}, "node_label: expected one for each of 3 nodes"),
        ({"edges": np.array([[0, 7]])}, "graph 1: node: expected numbers from 0 to 2, got 7"),
        ({"edges": np.array([[1, 1]])}, "graph 1: loop"),
    ],
)
def test_hostile_arrays_are_refused(tmp_path, entries, error):
    npz(tmp_path / "graphs.npz", **entries)
    with pytest.raises(UserError, match=error):
        PLAIN.read(tmp_path / "graphs.npz")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.npz", b"not a zip file", "not readable as .npz"),
        ("a.safetensors", b"\xff" * 20, "not readable as .*safetensors"),
        ("a.graphml", b"<graphml><graph", "not readable as GraphML"),
        ("a.graphml", b'<!DOCTYPE x [<!ENTITY a "b">]><graphml/>', "entities"),
        ("a.graphml", b"", "not readable as GraphML"),
        ("a.txt", b"", "expected graphs as GraphML, arrays"),
    ],
)
def test_broken_files_are_refused(tmp_path, name, content, error):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=error):
        PLAIN.read(tmp_path / name)


def test_a_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_graphs(tmp_path / "graphs.npz")


def test_the_spec_builds_the_domain():
    again = domain_from_spec(LABELLED.spec)
    assert isinstance(again, Graph) and again.spec == LABELLED.spec and again.schema == LABELLED.schema
