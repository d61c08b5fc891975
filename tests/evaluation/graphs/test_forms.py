"""Canonical hashes: equal for isomorphic graphs with corresponding labels, and for no others."""

import time

import networkx as nx
import numpy as np

from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.graphs.forms import hash_forms
from symdiff_evaluation.graphs.graph import SimpleGraph


def renumbered(graph: SimpleGraph, order: np.ndarray) -> SimpleGraph:
    edges = np.sort(order[graph.edges], axis=1)
    nodes = None if graph.node_labels is None else graph.node_labels[np.argsort(order)]
    return SimpleGraph(graph.num_nodes, edges, nodes, graph.edge_labels)


def test_renumbering_changes_nothing_and_labels_change_all():
    rng = np.random.default_rng(0)
    path = np.array([[0, 1], [1, 2], [2, 3]])
    kinds = [
        SimpleGraph(4, path),
        SimpleGraph(4, np.array([[0, 1], [0, 2], [0, 3]])),
        SimpleGraph(4, path, np.array([0, 1, 0, 0])),
        SimpleGraph(4, path, np.array([1, 0, 0, 0])),
        SimpleGraph(4, path, None, np.array([0, 1, 0])),
        SimpleGraph(4, path, None, np.array([0, 0, 1])),
        SimpleGraph(4, path, np.array([0, 1, 0, 0]), np.array([0, 0, 1])),
        SimpleGraph(5, path),
    ]
    copies = [renumbered(graph, rng.permutation(graph.num_nodes)) for graph in kinds for _ in range(5)]
    hashes = hash_forms(copies).reshape(len(kinds), 5)
    assert (hashes == hashes[:, :1]).all() and len(set(hashes[:, 0].tolist())) == len(kinds)
    assert hash_forms([SimpleGraph(4, path, np.zeros(4, int), np.zeros(3, int))])[0] == hashes[0, 0]
    assert (hash_forms([graph.remove_labels() for graph in kinds[2:7]]) == hashes[0, 0]).all()


def test_all_graphs_of_five_nodes():
    """1,024 labeled graphs are 34 up to isomorphism."""
    pairs = np.array([(i, j) for i in range(5) for j in range(i + 1, 5)])
    graphs = [SimpleGraph(5, pairs[[bool(code >> k & 1) for k in range(10)]]) for code in range(1024)]
    assert len(set(hash_forms(graphs).tolist())) == 34


def test_pairs_that_refinement_alone_confuses():
    six = [nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))]
    graphs = [SimpleGraph(6, np.array(sorted(tuple(sorted(edge)) for edge in source.edges))) for source in six]
    assert len(set(hash_forms(graphs).tolist())) == 2


def test_components_are_compared_with_their_labels_in_any_order():
    rng = np.random.default_rng(1)
    edges = np.array([[0, 1], [1, 2], [3, 4], [4, 5], [6, 7]])
    kinds = [
        SimpleGraph(9, edges),
        SimpleGraph(9, edges, np.array([1, 0, 0, 0, 0, 0, 0, 0, 0])),
        SimpleGraph(9, edges, np.array([0, 0, 0, 0, 0, 0, 0, 0, 1])),
        SimpleGraph(9, edges, None, np.array([1, 0, 0, 1, 0])),
        SimpleGraph(9, edges, None, np.array([1, 1, 0, 0, 0])),
    ]
    copies = [renumbered(graph, rng.permutation(9)) for graph in kinds for _ in range(5)]
    hashes = hash_forms(copies).reshape(len(kinds), 5)
    assert (hashes == hashes[:, :1]).all() and len(set(hashes[:, 0].tolist())) == len(kinds)
    many = nx.disjoint_union_all([nx.petersen_graph()] * 50)
    assert len(hash_forms([SimpleGraph(500, np.array(sorted(tuple(sorted(edge)) for edge in many.edges)))])) == 1


def test_hashes_are_those_that_references_hold():
    """A reference that was written keeps its meaning: what changes these numbers makes all shipped hashes wrong."""
    found = hash_forms(
        [
            SimpleGraph(3, np.array([[0, 1], [1, 2]])),
            SimpleGraph(2, np.array([[0, 1]]), np.array([3, 5]), np.array([2])),
        ]
    )
    assert found.tolist() == [15879476744064373835, 5775829247262114123]


def test_regular_graphs_in_under_a_second():
    graphs = []
    for seed in range(64):
        source = nx.random_regular_graph(3, 20, seed=seed)
        graphs.append(SimpleGraph(20, np.array(sorted(tuple(sorted(edge)) for edge in source.edges))))
    start = time.process_time()
    assert len(set(hash_forms(graphs).tolist())) == 64
    assert time.process_time() - start < 1


def of(source: nx.Graph) -> SimpleGraph:
    source = nx.convert_node_labels_to_integers(source)
    return SimpleGraph(len(source), np.array(sorted(tuple(sorted(edge)) for edge in source.edges)))


def test_large_regular_graphs_need_no_search():
    rng, kinds = np.random.default_rng(2), [of(nx.random_regular_graph(3, 400, seed=seed)) for seed in range(3)]
    kinds.append(SimpleGraph(400, kinds[0].edges, np.eye(400, dtype=int)[0]))
    copies = [renumbered(graph, rng.permutation(400)) for graph in kinds for _ in range(2)]
    hashes = hash_forms(copies, budget=1).reshape(len(kinds), 2)
    assert (hashes == hashes[:, :1]).all() and len(set(hashes[:, 0].tolist())) == len(kinds)


def test_what_the_budget_does_not_decide_is_said():
    ring = nx.cycle_graph(30)
    pair = nx.disjoint_union(ring, nx.path_graph(3))
    graphs = [of(ring), of(nx.path_graph(30)), of(pair), of(nx.star_graph(30))]
    assert (hash_forms(graphs, budget=20_000) == 0).tolist() == [True, False, True, False]
    assert (hash_forms(graphs) > 0).all()
    assert hash_forms(graphs[1::2], budget=20_000).tolist() == hash_forms(graphs)[1::2].tolist()


def test_undecided_graphs_are_on_neither_side(monkeypatch):
    from symdiff_evaluation.graphs import forms
    from symdiff_evaluation.graphs.metrics.quality import Quality
    from symdiff_evaluation.graphs.reference import build
    from symdiff_evaluation.graphs.samples import from_graphs

    monkeypatch.setattr(forms.hash_forms, "__defaults__", (20_000,))
    ring, path, star = of(nx.cycle_graph(30)), of(nx.path_graph(30)), of(nx.star_graph(30))
    found = load_kind("graph").measure(
        from_graphs([ring, path, path, star]), build(from_graphs([star, ring])), tuple(Quality.about)
    )
    told = {name: (round(one.value * one.count), one.count, one.undecided) for name, one in found.items()}
    assert told["uniqueness"] == (2, 3, 1) and told["novelty"] == (1, 2, 1) and told["vun"] == (1, 3, 1)
    assert told["validity"] == (4, 4, 0)
