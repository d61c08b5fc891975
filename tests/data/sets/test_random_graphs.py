"""Random and symmetric graphs are what they are called, and the same every time."""

from __future__ import annotations

import networkx as nx
import pytest
import torch

from symdiff.canonical import Nodes
from symdiff.data.dataset import Dataset
from symdiff.data.sets.random_graphs import community_graphs, erdos_renyi, symmetric_graphs


def as_networkx(dataset: Dataset, rows: torch.Tensor) -> list[nx.Graph]:
    x = dataset.batch(rows)
    return [nx.from_numpy_array(e[:n, :n].numpy()) for e, n in zip(x["edge"], x.num_nodes.tolist(), strict=True)]


def test_two_communities():
    dataset = community_graphs()
    assert {name: len(dataset.split(name)) for name in dataset.splits} == {"train": 5000, "valid": 500, "test": 500}
    assert 12 <= int(dataset.num_nodes.min()) and int(dataset.num_nodes.max()) <= 20
    sizes = torch.arange(6, 11).double()
    inside = (sizes * (sizes - 1) / 2).mean() * 2 * 0.7  # two independent sizes, uniform
    between = sizes.mean() ** 2 * 0.01
    counts = dataset.num_edges.double()
    assert abs(counts.mean() - inside - between) < 6 * counts.std() / len(counts) ** 0.5
    again = community_graphs().columns.arrays
    assert all(torch.equal(values, again[name]) for name, values in dataset.columns.arrays.items())


def test_erdos_renyi():
    dataset = erdos_renyi()
    share = torch.bincount(dataset.num_nodes, minlength=17)[7:].double() / len(dataset)
    assert len(share) == 10 and ((share - 0.1).abs() < 6 * (0.09 / len(dataset)) ** 0.5).all()
    pairs = (dataset.num_nodes * (dataset.num_nodes - 1) / 2).double()
    assert abs(dataset.num_edges.sum() / pairs.sum() - 0.25) < 6 * (0.1875 / pairs.sum()) ** 0.5
    other = erdos_renyi(seed=1)
    assert not torch.equal(dataset.num_edges, other.num_edges)


@pytest.mark.slow
def test_symmetric_graphs_are_symmetric_and_all_different():
    dataset = symmetric_graphs()
    assert len(dataset) == 264 and {"train", "valid", "test"} == set(dataset.splits)
    orders = Nodes().automorphisms(dataset.batch(torch.arange(len(dataset))))
    assert (orders >= 4).all()
    graphs = as_networkx(dataset, torch.arange(len(dataset)))
    hashes: dict[tuple, list[nx.Graph]] = {}
    for graph in graphs:
        hashes.setdefault(tuple(sorted(dict(graph.degree).values())), []).append(graph)
    for same in hashes.values():
        assert not any(
            nx.faster_could_be_isomorphic(a, b) and nx.is_isomorphic(a, b) for a in same for b in same if a is not b
        )
    for wanted in (nx.cycle_graph(16), nx.hypercube_graph(4), nx.petersen_graph(), nx.complete_bipartite_graph(3, 5)):
        assert sum(nx.is_isomorphic(wanted, graph) for graph in graphs if len(graph) == len(wanted)) == 1
