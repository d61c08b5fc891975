"""Groups by the name of a file: the automorphisms of its graph, and nothing of the file is needed afterwards."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
import torch

from symdiff.breaking import Orbits
from symdiff.breaking.group_text import read_group
from symdiff.errors import UserError
from symdiff.groups.named import parse_group, spell
from symdiff.random import Streams
from symdiff.state import node_mask

GRAPHS = {
    "path": (nx.path_graph(5), 2),
    "cycle": (nx.cycle_graph(7), 14),
    "star": (nx.star_graph(5), 120),
    "petersen": (nx.petersen_graph(), 120),
    "cube": (nx.hypercube_graph(3), 48),
    "two triangles": (nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)), 72),
    "asymmetric": (nx.Graph([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (1, 3)]), 1),
    "empty": (nx.empty_graph(4), 24),
}


def write(graph: nx.Graph, path) -> str:
    nx.write_graphml(nx.convert_node_labels_to_integers(graph), path)
    return f"automorphisms of {path}"


@pytest.mark.parametrize("name", GRAPHS)
def test_the_order_is_known(name, tmp_path):
    graph, order = GRAPHS[name]
    group = read_group(write(graph, tmp_path / f"{name}.graphml"))
    assert group.order == order
    adjacency = torch.from_numpy(nx.to_numpy_array(graph))
    for g in group.generators:
        assert torch.equal(adjacency[g][:, g], adjacency)


def test_against_every_permutation(tmp_path):
    for seed in range(6):
        graph = nx.gnp_random_graph(6, 0.5, seed=seed)
        adjacency = torch.from_numpy(nx.to_numpy_array(graph))
        brute = {g for g in permutations(range(6)) if torch.equal(adjacency[list(g)][:, list(g)], adjacency)}
        found = read_group(write(graph, tmp_path / "a.graphml")).elements()
        assert {tuple(g) for g in found.tolist()} == brute


def test_labels_count(tmp_path):
    graph = nx.cycle_graph(6)
    nx.set_node_attributes(graph, {node: int(node == 0) for node in graph}, "label")
    assert read_group(write(graph, tmp_path / "a.graphml")).order == 2
    graph = nx.cycle_graph(6)
    nx.set_edge_attributes(graph, {edge: 1 + (min(edge) % 2) for edge in graph.edges}, "label")
    labels = [graph.edges[edge]["label"] for edge in graph.edges]
    order = read_group(write(graph, tmp_path / "b.graphml")).order
    assert len(set(labels)) == 2 and 1 <= order < 12


def test_a_checkpoint_does_not_need_the_file(tmp_path):
    breaker = Orbits(write(nx.cycle_graph(5), tmp_path / "a.graphml"), dim=3)
    (tmp_path / "a.graphml").unlink()
    breaker.save_pretrained(tmp_path / "saved")
    again = Orbits.from_pretrained(tmp_path / "saved")
    mask, streams = node_mask(torch.tensor([5])), Streams(0, torch.arange(1))
    assert torch.equal(again.prior(mask, streams)["orbit"], breaker.prior(mask, streams)["orbit"])
    assert again.group.order == 10


@pytest.mark.parametrize("text", ["cyclic 5", "identity 4", "wreath (symmetric 2, cyclic 3)", "alternating 4"])
def test_spelled_groups_are_read_again(text):
    group = parse_group(text)
    again = parse_group(spell(group))
    assert again.generators == group.generators and again.nodes == group.nodes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("permutations (1 0 2, 0 2)", "one length, got 3 and 2"),
        ("permutations (1 1 2)", "each of 0 to 2 once"),
        ("permutations (a)", "numbers and commas"),
        ("permutations (1 0", "not closed"),
        ("permutations 1 0", "for one"),
        ("permutations ()", "each of 0 to 0 once"),
        ("automorphisms of nothing.graphml", "nothing.graphml"),
    ],
)
def test_what_is_no_group_is_one_line(text, reason):
    with pytest.raises(UserError, match=reason) as refused:
        read_group(text)
    assert "\n" not in str(refused.value)


def test_files_of_many_graphs_and_searches_without_end(tmp_path):
    graph = nx.random_regular_graph(3, 40, seed=0)
    with pytest.raises(UserError, match="not found within 10 placements"):
        read_group(write(graph, tmp_path / "a.graphml"), budget=10)
    edges = np.array([[0, 1], [0, 1]])
    np.savez(tmp_path / "b.npz", num_nodes=[2, 2], edge_ptr=[0, 1, 2], edges=edges)
    with pytest.raises(UserError, match="expected one graph, got 2"):
        read_group(f"automorphisms of {tmp_path / 'b.npz'}")
