"""Sets of graphs from flat arrays: bad graphs keep their record, and cost no other."""

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff.graphs.edge_list import MAX_NODES
from symdiff_evaluation.graphs.samples import from_edges

PATH = [[0, 1], [1, 2]]


def three(middle, num_nodes=3, node_labels=None):
    """A path, what is in the middle, a path."""
    edges = np.array([*PATH, *middle, *PATH], np.int32).reshape(-1, 2)
    ptr = np.array([0, 2, 2 + len(middle), 4 + len(middle)], np.int64)
    return from_edges(np.array([3, num_nodes, 3], np.int32), ptr, edges, node_labels, place="a.npz")


@pytest.mark.parametrize(
    ("middle", "num_nodes", "reason"),
    [
        ([[0, 3]], 3, "node: expected numbers from 0 to 2, got 3"),
        ([[-1, 1]], 3, "node: expected numbers from 0 to 2, got -1"),
        ([[0, 1], [1, 1]], 3, "loop: an edge joins node 1 to itself"),
        ([[0, 1], [2, 1], [1, 0]], 3, "parallel edges: the edge 0-1 is there twice"),
        ([], 0, "empty: no node"),
        ([[0, 1]], MAX_NODES + 1, f"too large: {MAX_NODES + 1} nodes, at most {MAX_NODES} are read"),
    ],
)
def test_a_bad_graph_keeps_its_record(middle, num_nodes, reason):
    graphs = three(middle, num_nodes)
    assert len(graphs) == 3 and graphs.reasons == ("", reason, "") and graphs.unreadable == 1
    assert [(r.file, r.number, r.reason) for r in graphs.records][1] == ("a.npz", 2, reason)
    assert graphs.graphs[1] is None and [graph.edges.tolist() for graph in graphs.readable] == [PATH, PATH]


def test_edges_in_any_order_are_the_same_edges():
    graph = three([[2, 1], [1, 0]]).graphs[1]
    assert graph.edges.tolist() == PATH and graph.degrees.tolist() == [1, 2, 1] and graph.is_connected
    assert three([[1, 0]]).graphs[1].components == 2 and three([], 1).graphs[1].components == 1


def test_labels_go_with_their_nodes_and_edges():
    edges = np.array([[1, 2], [0, 1], [0, 1]])
    graphs = from_edges([3, 2], [0, 2, 3], edges, np.array([5, 6, 7, 8, 9]), np.array([1, 2, 3]))
    one, two = graphs.graphs
    assert one.node_labels.tolist() == [5, 6, 7] and two.node_labels.tolist() == [8, 9] and graphs.is_labeled
    assert one.edges.tolist() == PATH and one.edge_labels.tolist() == [2, 1] and two.edge_labels.tolist() == [3]
    assert one.list_colors() == ([5, 6, 7], {(0, 1): 2, (1, 2): 1})
    bad = three([[0, 1]], 3, np.array([0, 0, 0, 1, -1, 1, 0, 0, 0]))
    assert bad.reasons == ("", "label: expected node labels from 0 to 4094, got -1", "")


def test_pointers_that_fall_spoil_only_what_they_touch():
    graphs = from_edges([2, 2, 2], [0, 1, 0, 1], np.array([[0, 1]]))
    assert [bool(reason) for reason in graphs.reasons] == [False, True, False]
    assert graphs.reasons[1] == "edge_ptr: expected numbers from 0 to 1 that do not fall, got 1 and 0"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            ([2], [0], np.zeros((0, 2), int)),
            r"a.npz: edge_ptr: expected one entry more than num_nodes \(1,\), got \(1,\)",
        ),
        (([2], [0, 1], np.zeros((1, 3), int)), r"a.npz: edges: expected \(edges, 2\), got \(1, 3\)"),
        (([2], [0, 1], np.array([[0.0, 1.0]])), "a.npz: edges: expected integers, got float64"),
        (
            ([2], [0, 1], np.array([[0, 1]]), np.array([1])),
            r"a.npz: node_label: expected one for each of 2 nodes, got \(1,\)",
        ),
        (
            ([2], [0, 1], np.array([[0, 1]]), None, np.array([1, 1])),
            r"a.npz: edge_label: expected one for each of 1 edges, got \(2,\)",
        ),
    ],
)
def test_arrays_that_do_not_belong_together(arrays, message):
    with pytest.raises(UserError, match=message):
        from_edges(*arrays, place="a.npz")


def test_mutated_arrays_give_graphs_or_one_line():
    """Whatever stands in the arrays: as many records as before, or an error that names the file."""
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        edges = np.array([*PATH, [0, 1], [1, 2], [2, 3], *PATH])
        arrays = [np.array([3, 4, 3]), np.array([0, 2, 5, 7]), edges, np.arange(10) % 3, np.arange(7)]
        which = int(rng.integers(5))
        flat = arrays[which].reshape(-1)
        place = int(rng.integers(len(flat)))
        match rng.integers(4):
            case 0:
                flat[place] = rng.choice([-1, 0, 1, 5, 2**31, 2**62, -(2**63)])
            case 1:
                arrays[which] = arrays[which][:-1]
            case 2:
                arrays[which] = flat.astype(float)
            case 3:
                flat[place] = flat[int(rng.integers(len(flat)))]
        try:
            graphs = from_edges(*arrays, place="b.npz")
        except UserError as error:
            refused += 1
            assert str(error).startswith("b.npz: ") and "\n" not in str(error)
            continue
        assert [record.reason for record in graphs.records] == list(graphs.reasons)
        assert all((graph is None) == bool(reason) for graph, reason in zip(graphs.graphs, graphs.reasons, strict=True))
    assert 100 < refused < 300


def test_empty_arrays_may_be_of_any_type():
    found = from_edges(np.array([1, 2]), np.zeros(3, int), np.zeros((0, 2), complex), edge_labels=np.zeros(0, "U3"))
    assert [len(graph.edges) for graph in found.readable] == [0, 0]
