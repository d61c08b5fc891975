"""The rules of data sets on graphs that follow or break them by construction, and on the data sets themselves."""

import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.graphs.arcs import arc_description_length, infer_arc_blocks
from symdiff_evaluation.graphs.blocks import description_length, edge_counts, infer_blocks
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.samples import from_edges
from symdiff_evaluation.graphs.validity import check, measure_agreement

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "graphs")


def graph_of(source: nx.Graph) -> SimpleGraph:
    source = nx.convert_node_labels_to_integers(source)
    edges = np.array(sorted(tuple(sorted(edge)) for edge in source.edges), np.int64).reshape(-1, 2)
    return SimpleGraph(len(source), edges)


CATERPILLAR = nx.Graph([(0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (5, 6)])
SPIDER = nx.Graph([(0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9)])  # three legs of three


@pytest.mark.parametrize(
    ("source", "rule", "reason"),
    [
        (nx.complete_graph(4), "planar", ""),
        (nx.complete_graph(1), "planar", ""),
        (nx.grid_2d_graph(5, 5), "planar", ""),
        (nx.complete_bipartite_graph(3, 3), "planar", "not planar: its edges cross"),
        (nx.complete_graph(5), "planar", "not planar: 10 edges, at most 9 fit"),
        (nx.disjoint_union(nx.complete_graph(3), nx.complete_graph(3)), "planar", "disconnected: 2 components"),
        (nx.complete_graph(1), "tree", ""),
        (nx.random_labeled_tree(30, seed=1), "tree", ""),
        (nx.cycle_graph(5), "tree", "not a tree: 1 independent cycles"),
        (nx.disjoint_union(nx.path_graph(3), nx.cycle_graph(3)), "tree", "disconnected: 2 components"),
        (nx.path_graph(9), "lobster", ""),
        (nx.star_graph(7), "lobster", ""),
        (CATERPILLAR, "lobster", ""),
        (SPIDER, "lobster", "not a lobster: a node of the backbone has 3 neighbors on it"),
        (nx.cycle_graph(4), "lobster", "not a tree: 1 independent cycles"),
        (nx.empty_graph(3), "connected", "disconnected: 3 components"),
        (nx.empty_graph(3), "any", ""),
        (nx.empty_graph(30), "sbm", "block sizes: expected 40 to 200 nodes in all, got 30"),
        (nx.gnp_random_graph(60, 0.3, 1), "sbm", "blocks: expected 2 to 5, found 1"),
        (nx.empty_graph(60), "sbm", "blocks: expected 2 to 5, found 1"),
    ],
)
def test_rules(source, rule, reason):
    assert check(graph_of(source), rule) == reason


def test_a_rule_that_is_none():
    with pytest.raises(UserError, match="rule of graphs: expected one of any, .*, got 'plannar' .*planar"):
        check(graph_of(nx.complete_graph(3)), "plannar")


def planted(seed, sizes=(25, 33, 40), within=0.3, between=0.005):
    shares = np.full((len(sizes), len(sizes)), between) + np.eye(len(sizes)) * (within - between)
    graph = graph_of(nx.stochastic_block_model(sizes, shares, seed=seed))
    return graph, np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize("seed", range(4))
def test_planted_blocks_are_found(seed):
    graph, blocks = planted(seed)
    found = infer_blocks(graph)
    pairs = set(zip(found.tolist(), blocks.tolist(), strict=True))
    assert len(pairs) == 3 and description_length(graph, found) <= description_length(graph, blocks) + 1e-9
    order = np.random.default_rng(seed).permutation(graph.num_nodes)
    other = infer_blocks(SimpleGraph(graph.num_nodes, np.sort(order[graph.edges], axis=1)))[order]
    assert description_length(graph, other) == pytest.approx(description_length(graph, found))


def test_description_length_by_hand():
    """Two triangles: which edges takes nothing once the blocks are known."""
    graph = graph_of(nx.disjoint_union(nx.complete_graph(3), nx.complete_graph(3)))
    # 6 edges over 3 pairs of blocks: C(8, 6) = 28 ways; sizes of 2 blocks: 5 ways; 6!/(3! 3!) = 20 partitions; 6
    # numbers of blocks
    assert description_length(graph, np.array([0, 0, 0, 1, 1, 1])) == pytest.approx(np.log(28 * 5 * 20 * 6))
    # one block: C(15, 6) = 5005 ways to place the edges, nothing else but the number of blocks
    assert description_length(graph, np.zeros(6, int)) == pytest.approx(np.log(5005 * 6))


def test_agreement_with_the_model():
    graph, blocks = planted(0)
    sizes, edges = edge_counts(graph, blocks)
    assert sizes.tolist() == [25, 33, 40] and np.triu(edges).sum() == len(graph.edges) and (edges == edges.T).all()
    exact = np.where(np.eye(3, dtype=bool), 0.3 * sizes * (sizes - 1) / 2, 0.005 * np.outer(sizes, sizes))
    assert measure_agreement(sizes, exact) == pytest.approx(np.ones((3, 3)), abs=1e-4)
    assert measure_agreement(sizes, np.zeros((3, 3), int)).max() < 1e-5
    dense, _ = planted(0, within=0.6)
    assert check(dense, "sbm").startswith("edge shares: expected agreement above 0.9, found 0.")


def test_description_length_of_arcs_by_hand():
    """Two triangles, each a block: which arcs, between which blocks, which nodes, and which degrees."""
    graph = graph_of(nx.disjoint_union(nx.complete_graph(3), nx.complete_graph(3)))
    # six arcs in each block: 6! 6! ways to join ends over 6! of arcs that are alike, ends of one node over 2!
    which = np.log(720.0**4 / 720.0**2 / 2.0**12)
    # 12 arcs over 4 ordered pairs of blocks: C(15, 12) = 455; 5 sizes, 20 partitions, 6 numbers of blocks
    model = np.log(455 * 5 * 20 * 6)
    # 6 as a sum of at most 3 positive numbers: 7 ways, for in- and for out-degrees of either block; all degrees are
    # equal
    degrees = np.log(7.0**4)
    assert arc_description_length(graph, np.array([0, 0, 0, 1, 1, 1])) == pytest.approx(which + model + degrees)


@pytest.mark.parametrize("seed", range(2))
def test_planted_blocks_are_found_from_arcs(seed):
    graph, blocks = planted(seed, (24, 38))
    found = infer_arc_blocks(graph)
    assert arc_description_length(graph, found) <= arc_description_length(graph, blocks) + 1e-9
    assert len(set(zip(found.tolist(), blocks.tolist(), strict=True))) == len(
        set(found.tolist())
    )  # at most a block cut in two


def spectre_test_graphs():
    with np.load(DATA / "sbm.npz", allow_pickle=False) as file:
        graphs = from_edges(file["num_nodes"], file["edge_ptr"], file["edges"], place="sbm")
        return {int(k) + 1: graphs.graphs[k] for k in np.flatnonzero(file["split"] == 2)}  # counted from 1


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with graphs/")
@pytest.mark.parametrize(
    ("number", "valid"), [(162, False), (173, False), (175, False), (181, True), (182, True), (187, True)]
)
def test_blocks_from_arcs_decide_as_published(number, valid):
    graph = spectre_test_graphs()[number]
    assert check(graph, "sbm") == "" and (check(graph, "sbm_spectre") == "") == valid


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with graphs/")
def test_blocks_from_arcs_agree_with_the_published_run():
    """Invalid in a run with graph-tool: the three that break the undirected rule, too, and five more; so 32 pass."""
    graphs = spectre_test_graphs()
    published = {k for k, graph in graphs.items() if check(graph, "sbm")} | {162, 173, 175, 183, 184}
    here = {k for k, graph in graphs.items() if check(graph, "sbm_spectre")}
    assert len(graphs) == 40 and len(published) == 8 and len(published ^ here) <= 2


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with graphs/")
@pytest.mark.parametrize(("name", "least"), [("planar", 1.0), ("tree", 1.0), ("lobster", 1.0), ("sbm", 0.85)])
def test_data_sets_follow_their_rules(name, least):
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        graphs = from_edges(file["num_nodes"], file["edge_ptr"], file["edges"], place=name)
        test = graphs.select(np.flatnonzero(file["split"] == 2)).readable
    assert np.mean([not check(graph, name) for graph in test]) >= least
