"""Balance of numberings.

Uniform p-values for invariant laws, none for orders that mean something; what went in against what came out.
"""

import math

import networkx as nx
import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.sample_files import SampleFiles
from symdiff_evaluation.graphs.balance import image_balance, place_balance
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.metrics.balance import GraphBreaking
from symdiff_evaluation.graphs.read import from_columns
from symdiff_evaluation.graphs.samples import from_graphs

SHAPES = [
    np.array([[0, 1], [1, 2], [2, 3]]),
    np.array([[0, 1], [0, 2], [0, 3]]),
    np.array([[0, 1], [0, 2], [1, 2], [2, 3]]),
]


def numbered(edges, order, labels=None):
    """The graph with node k called order[k]."""
    place = np.argsort(order)
    edges = np.sort(np.asarray(order)[edges], axis=1)
    return SimpleGraph(len(order), edges[np.lexsort(edges.T[::-1])], None if labels is None else labels[place])


def invariant(rng, count, labels=None):
    return from_graphs([numbered(SHAPES[rng.integers(3)], rng.permutation(4), labels) for _ in range(count)])


def images(samples):
    return image_balance(samples.readable, samples.hashes, samples.symmetries)


@pytest.mark.slow
def test_an_invariant_law_gives_uniform_p_values():
    rng = np.random.default_rng(0)
    labels = np.array([0, 0, 1, 1])
    found = [
        (images(one).p_value, place_balance(one.readable).p_value)
        for one in (invariant(rng, 60, labels) for _ in range(100))
    ]
    for values in np.array(found).T:
        counts = np.histogram(values, 5, (0, 1))[0]
        assert ((counts - 20) ** 2 / 20).sum() < 33, counts  # chi-square with 4 degrees of freedom: 1e-6


@pytest.mark.slow
def test_the_moments_of_both_tests_are_exact():
    rng = np.random.default_rng(1)
    drawn = [(images(one), place_balance(one.readable)) for one in (invariant(rng, 40) for _ in range(400))]
    for tests in zip(*drawn, strict=True):
        gaps = np.array([(one.statistic - one.mean) / math.sqrt(one.variance) for one in tests])
        assert abs(gaps.mean()) < 5 / math.sqrt(len(gaps)) and 0.7 < gaps.var() < 1.4


def test_orders_that_mean_something_are_seen():
    rng = np.random.default_rng(2)
    same = from_graphs([numbered(SHAPES[rng.integers(3)], np.arange(4)) for _ in range(60)])
    assert images(same).p_value < 1e-6 and place_balance(same.readable).p_value < 1e-6
    large = [nx.gnp_random_graph(30, 0.2, seed=k) for k in range(30)]
    shuffled, ranked = [], []
    for source in large:
        edges = np.array(sorted(tuple(sorted(edge)) for edge in source.edges))
        shuffled.append(numbered(edges, rng.permutation(30)))
        ranked.append(numbered(edges, np.argsort(np.argsort([degree for _, degree in source.degree]))))
    assert place_balance(shuffled).p_value > 1e-6 and place_balance(ranked).p_value < 1e-6
    assert images(from_graphs(ranked)).p_value is None  # no two are alike: 30! numberings


def test_regular_graphs_say_nothing_about_places():
    ring = [SimpleGraph(4, np.array([[0, 1], [0, 3], [1, 2], [2, 3]]))] * 5
    told = place_balance(ring)
    assert told.p_value is None and (told.count, told.undecided) == (0, 5)
    assert images(from_graphs(ring)).count == 5


def columns(graphs, front=""):
    return {
        f"{front}num_nodes": np.array([graph.num_nodes for graph in graphs]),
        f"{front}edge_ptr": np.cumsum([0, *(len(graph.edges) for graph in graphs)]),
        f"{front}edges": np.concatenate([graph.edges for graph in graphs]),
    }


def test_the_gap_by_hand(tmp_path):
    """A ring of four (8 automorphisms) becomes a path (2), a path becomes a star (6), the third sample is broken."""
    ring = SimpleGraph(4, np.array([[0, 1], [0, 3], [1, 2], [2, 3]]))
    path, star = (SimpleGraph(4, edges) for edges in SHAPES[:2])
    arrays = columns([path, star, path]) | columns([ring, path, ring], "input_")
    arrays["edges"][-1] = [2, 9]
    found = GraphBreaking()(from_columns(arrays, "a.npz"), None)
    gap, share = found["symmetry.breaking_gap"], found["symmetry.broken_share"]
    assert gap.value == pytest.approx((math.log(4) - math.log(3)) / 2) and (gap.count, gap.undecided) == (2, 1)
    assert share.value == pytest.approx(1 / 2) and share.undecided == 1
    assert GraphBreaking()(from_graphs([path]), None)["symmetry.breaking_gap"].value is None
    assert len(from_columns(arrays, "a.npz").select([1]).inputs) == 1


def test_files_that_disagree_about_inputs(tmp_path):
    path = SimpleGraph(4, SHAPES[0])
    np.savez(tmp_path / "a.npz", **columns([path]), **columns([path], "input_"))
    np.savez(tmp_path / "b.npz", **columns([path]))
    assert len(load_kind("graph").read(SampleFiles([tmp_path / "a.npz", tmp_path / "a.npz"])).inputs) == 2
    with pytest.raises(UserError, match="b.npz"):
        load_kind("graph").read(SampleFiles([tmp_path / "a.npz", tmp_path / "b.npz"]))
    with pytest.raises(UserError, match="one for each of 1"):
        from_columns(columns([path]) | columns([path, path], "input_"), "c.npz")
    with pytest.raises(UserError, match="input_edges"):
        from_columns(columns([path]) | {"input_num_nodes": np.array([1])}, "c.npz")
