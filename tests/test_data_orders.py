"""Reordering: the same molecules, isomorphic structures identical, computed once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.data.dataset import Dataset
from symdiff.data.enumeration import small_molecules
from symdiff.data.orders import LABELLED, reorder, symmetry
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
    assert molecules.domain.smiles(before) == moved.domain.smiles(after)
    canonical = Nodes(order).canonical(before)
    assert torch.equal(canonical["atom"], after["atom"]) and torch.equal(canonical["bond"], after["bond"])
    assert moved.meta["order"] == order and torch.equal(moved.columns.arrays["split"], molecules.columns.arrays["split"])


def test_isomorphic_graphs_become_identical():
    domain, random = Graph(), np.random.RandomState(0)
    ring = np.array([(k, (k + 1) % 7) for k in range(7)] + [(0, 3)])
    records = [domain.record(np.zeros(7, int), random.permutation(7)[ring], np.ones(8, int)) for _ in range(20)]
    moved = reorder(Dataset.from_arrays(domain, pack(records, domain.schema), {"name": "rings", "order": "source"}), "depth")
    edges = moved.batch(torch.arange(20))["edge"]
    assert (edges == edges[:1]).all()


def test_a_view_is_reordered_as_a_view_and_kept(molecules, tmp_path):
    molecules.save(tmp_path / "four")
    opened = Dataset.open(tmp_path / "four")
    view = opened.split("test")
    moved = reorder(view, "breadth")
    assert len(moved) == len(view) and moved.path.is_dir()
    index = torch.arange(len(view))
    assert moved.domain.smiles(moved.batch(index)) == view.domain.smiles(view.batch(index))
    stamp = moved.path.stat().st_mtime_ns
    again = reorder(opened, "breadth")
    assert again.path == moved.path and again.path.stat().st_mtime_ns == stamp and len(again) == len(opened)


def test_as_stored_is_as_it_is(molecules):
    assert reorder(molecules, "stored") is molecules and reorder(molecules, "smiles") is molecules


def test_unknown_orders_are_user_errors(molecules):
    with pytest.raises(UserError, match="did you mean 'depth'"):
        reorder(molecules, "dept")
    domain = Graph()
    record = domain.record(np.zeros(2, int), np.array([[0, 1]]), np.ones(1, int))
    graphs = Dataset.from_arrays(domain, pack([record], domain.schema), {"name": "one", "order": "source"})
    with pytest.raises(UserError, match="one has no order 'smiles'"):
        reorder(graphs, "smiles")


def test_symmetry_counts_automorphism_groups():
    domain = Graph()
    star = domain.record(np.zeros(5, int), np.array([[0, k] for k in range(1, 5)]), np.ones(4, int))
    rigid = domain.record(np.zeros(6, int), np.array([[0, 1], [1, 2], [2, 3], [3, 4], [2, 5], [1, 5]]), np.ones(6, int))
    found = symmetry(Dataset.from_arrays(domain, pack([star, rigid, rigid], domain.schema), {"name": "three"}))
    assert (found.count, found.asymmetric, found.largest) == (3, 2, 24)
