"""Reordering: the same molecules, isomorphic structures identical, computed once."""

from __future__ import annotations

import tracemalloc

import networkx as nx
import numpy as np
import pytest
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.data import orders
from symdiff.data.dataset import Dataset
from symdiff.data.orders import LABELLED, MOST_NODES, reorder, symmetry
from symdiff.data.sets.enumeration import small_molecules
from symdiff.data.summary import summary
from symdiff.domains.arrays import pack
from symdiff.domains.graph import Graph
from symdiff.errors import UserError


@pytest.fixture(scope="module")
def molecules() -> Dataset:
    return small_molecules(4)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("order", LABELLED)
def test_structures_stay_the_same_and_stand_canonically(molecules, order):
    moved = reorder(molecules, order)
    everything = torch.arange(len(molecules))
    before, after = molecules.batch(everything), moved.batch(everything)
    assert torch.equal(Nodes().form(before), Nodes().form(after))
    assert molecules.domain.codec.smiles(before) == moved.domain.codec.smiles(after)
    canonical = Nodes(order).canonical(before)
    assert torch.equal(canonical["atom"], after["atom"]) and torch.equal(canonical["bond"], after["bond"])
    assert moved.meta["order"] == order and torch.equal(
        moved.columns.arrays["split"], molecules.columns.arrays["split"]
    )


def test_isomorphic_graphs_become_identical():
    domain, random = Graph(), np.random.RandomState(0)
    ring = np.array([(k, (k + 1) % 7) for k in range(7)] + [(0, 3)])
    records = [domain.codec.record(np.zeros(7, int), random.permutation(7)[ring], np.ones(8, int)) for _ in range(20)]
    moved = reorder(
        Dataset.from_arrays(domain, pack(records, domain.schema), {"name": "rings", "order": "source"}), "depth"
    )
    edges = moved.batch(torch.arange(20))["edge"]
    assert (edges == edges[:1]).all()


def test_a_view_is_reordered_as_a_view_and_kept(molecules, tmp_path):
    molecules.save(tmp_path / "four")
    opened = Dataset.open(tmp_path / "four")
    view = opened.split("test")
    moved = reorder(view, "breadth")
    assert len(moved) == len(view) and moved.path.is_dir()
    index = torch.arange(len(view))
    assert moved.domain.codec.smiles(moved.batch(index)) == view.domain.codec.smiles(view.batch(index))
    stamp = moved.path.stat().st_mtime_ns
    again = reorder(opened, "breadth")
    assert again.path == moved.path and again.path.stat().st_mtime_ns == stamp and len(again) == len(opened)


def test_as_stored_is_as_it_is(molecules):
    assert reorder(molecules, "stored") is molecules and reorder(molecules, "smiles") is molecules


def test_unknown_orders_are_user_errors(molecules):
    with pytest.raises(UserError, match="did you mean 'depth'"):
        reorder(molecules, "dept")
    domain = Graph()
    record = domain.codec.record(np.zeros(2, int), np.array([[0, 1]]), np.ones(1, int))
    graphs = Dataset.from_arrays(domain, pack([record], domain.schema), {"name": "one", "order": "source"})
    with pytest.raises(UserError, match="one has no order 'smiles'"):
        reorder(graphs, "smiles")


def test_symmetry_counts_automorphism_groups():
    domain = Graph()
    star = domain.codec.record(np.zeros(5, int), np.array([[0, k] for k in range(1, 5)]), np.ones(4, int))
    rigid = domain.codec.record(
        np.zeros(6, int), np.array([[0, 1], [1, 2], [2, 3], [3, 4], [2, 5], [1, 5]]), np.ones(6, int)
    )
    found = symmetry(Dataset.from_arrays(domain, pack([star, rigid, rigid], domain.schema), {"name": "three"}))
    assert (found.count, found.asymmetric, found.largest) == (3, 2, 24)


@pytest.mark.slow
def test_symmetry_leaves_out_what_grows_out_of_hand():
    """A graph of 5,000 nodes has 25 million pairs, and a path of them is refined in 2,500 rounds.

    It is left out, and counted.
    """
    graphs = [nx.path_graph(n) for n in (2, 3, MOST_NODES, MOST_NODES + 1, 5000)] + [nx.hypercube_graph(8)]
    domain = Graph(max_nodes=5000)
    dataset = Dataset.from_arrays(
        domain, pack([domain.encode(graph) for graph in graphs], domain.schema), {"name": "large"}
    )
    tracemalloc.start()
    found = symmetry(dataset)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.count, found.asymmetric, found.largest, found.too_large, found.undecided) == (3, 0, 2, 2, 1)
    assert peak < 64 << 20
    shown = summary(dataset.select([4]))
    assert shown["symmetry"] == {
        "count": 0,
        "symmetric_share": None,
        "largest_group": None,
        "too_large": 1,
        "undecided": 0,
    }


def test_the_batches_of_symmetry_fit_into_memory():
    rows, sizes = torch.arange(7000), torch.cat([torch.full((5000,), 9), torch.full((2000,), 500)])
    parts = list(orders._batches(rows, sizes))
    assert torch.equal(torch.cat(parts), rows)
    assert all(len(part) == 1 or len(part) * int(sizes[part].max()) ** 2 <= orders.PAIRS for part in parts)
