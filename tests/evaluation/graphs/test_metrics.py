"""The numbers of graphs by hand; the classifier on laws that differ and on laws that do not; references in and out."""

import math
import time

import networkx as nx
import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.graphs.descriptors import NAMES, Descriptors
from symdiff_evaluation.graphs.discrepancy import LEAST, discrepancy
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.logistic import fit
from symdiff_evaluation.graphs.metrics import METRICS
from symdiff_evaluation.graphs.metrics.quality import Quality
from symdiff_evaluation.graphs.metrics.symmetry import GraphSymmetry
from symdiff_evaluation.graphs.reference import build, from_arrays
from symdiff_evaluation.graphs.samples import Graphs, from_edges, from_graphs

PATH, STAR = [[0, 1], [1, 2], [2, 3]], [[0, 1], [0, 2], [0, 3]]


def measure(metric, samples, reference):
    return load_kind("graph").measure(samples, reference, tuple(metric.about))


def graph_of(source: nx.Graph) -> SimpleGraph:
    source = nx.convert_node_labels_to_integers(source)
    edges = np.array(sorted(tuple(sorted(edge)) for edge in source.edges), np.int64).reshape(-1, 2)
    return SimpleGraph(len(source), edges)


def random_graphs(count, share, seed):
    return from_graphs([graph_of(nx.gnp_random_graph(12, share, seed + k)) for k in range(count)])


def hand() -> Graphs:
    """A path twice with different numbers, a star, a square, two edges apart, a loop."""
    parts = [PATH, [[2, 0], [0, 3], [3, 1]], STAR, [[0, 1], [1, 2], [2, 3], [0, 3]], [[0, 1], [2, 3]], [[1, 1]]]
    return from_edges([4] * 6, np.cumsum([0] + [len(part) for part in parts]), np.array(sum(parts, [])))


def test_quality_by_hand():
    reference = build(from_graphs([SimpleGraph(4, np.array(STAR)), SimpleGraph(4, np.array(STAR))]), rule="tree")
    found = {name: (one.value, one.count, one.undecided) for name, one in measure(Quality, hand(), reference).items()}
    assert found == {
        "readable": (5 / 6, 6, 0),
        "connected": (4 / 5, 5, 1),
        "uniqueness": (4 / 5, 5, 1),
        "validity": (3 / 6, 6, 0),
        "novelty": (3 / 4, 4, 0),
        "vun": (1 / 6, 6, 0),
    }


def test_symmetry_by_hand():
    reference = build(from_graphs([SimpleGraph(4, np.array(PATH))]))
    found = {name: one.value for name, one in measure(GraphSymmetry, hand(), reference).items()}
    orders = [2, 2, 6, 8, 8]
    assert found["symmetry.asymmetric_share"] == 0
    assert found["symmetry.log_order"] == pytest.approx(np.log(orders).mean())
    assert found["symmetry.orbit_share"] == pytest.approx((2 + 2 + 2 + 1 + 1) / 4 / 5)
    assert found["symmetry.order_distance"] == pytest.approx(3 / 5)
    assert found["symmetry.log_order_distance"] == pytest.approx(np.log(np.array(orders) / 2).mean())
    labeled = from_graphs([SimpleGraph(4, np.array(PATH), np.array([1, 0, 0, 0]))])
    found = {name: one.value for name, one in measure(GraphSymmetry, labeled, None).items()}
    assert found["symmetry.asymmetric_share"] == 1 and found["symmetry.unlabeled.asymmetric_share"] == 0
    assert found["symmetry.unlabeled.log_order"] == pytest.approx(math.log(2))


def test_every_id_is_computed_and_told():
    reference = build(random_graphs(20, 0.3, 0), random_graphs(20, 0.3, 100), "connected")
    samples = random_graphs(20, 0.3, 200)
    ids = [name for metric in METRICS for name in metric.about]
    assert len(ids) == len(set(ids))
    for metric in METRICS:
        assert metric(samples, reference).keys() == metric.about.keys() >= metric.compares
        assert metric(samples, None).keys() == metric.about.keys() - metric.compares
        for one in measure(metric, samples, reference).values():
            assert one.low is None or one.low <= one.value <= one.high


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_graphs_give_no_more_than_they_can(count):
    reference = build(random_graphs(20, 0.3, 0), random_graphs(20, 0.3, 100))
    bad = from_edges([2], [0, 1], np.array([[1, 1]]))
    good = random_graphs(count, 0.3, 0)
    samples = Graphs(good.records + bad.records, good.graphs + bad.graphs)
    for metric in METRICS:
        found = measure(metric, samples, reference)
        assert found.keys() == metric.about.keys()
        assert all(one.value is None or math.isfinite(one.value) for one in found.values())
    assert (metric_of("mmd.degree")(samples, reference)["mmd.degree"].value is None) == (count < 2)
    assert metric_of("pgd")(samples, reference)["pgd"].undecided == count + 1


def metric_of(name):
    return next(metric for metric in METRICS if name in metric.about)


def test_ratios_are_to_the_training_graphs():
    train, test = random_graphs(30, 0.3, 0), random_graphs(30, 0.3, 100)
    reference = build(train, test)
    found = metric_of("mmd.degree")(train, reference)
    assert all(found[f"mmd.ratio_{name}"].value == pytest.approx(1) for name in NAMES)
    assert found["mmd.ratio"].value == pytest.approx(1)
    worse = metric_of("mmd.degree")(random_graphs(30, 0.6, 0), reference)
    assert worse["mmd.ratio"].low > 1 and worse["mmd.degree_unbiased"].low > 0
    trees = [from_graphs([graph_of(nx.random_labeled_tree(12, seed=seed + k)) for k in range(20)]) for seed in (0, 50)]
    found = metric_of("mmd.degree")(trees[0], build(*trees))
    assert found["mmd.ratio_clustering"].value is None and found["mmd.ratio"].value == pytest.approx(1)
    assert metric_of("mmd.degree")(train, build(train))["mmd.ratio"].value is None


def test_a_reference_comes_back_from_its_arrays():
    one = build(random_graphs(20, 0.3, 0), random_graphs(20, 0.3, 50), "planar", "name", "made here")
    two = from_arrays("name", "planar", one.count, one.arrays(), "made here")
    samples = random_graphs(20, 0.35, 70)
    for metric in METRICS:
        first, second = measure(metric, samples, one), measure(metric, samples, two)
        for name, value in first.items():
            assert second[name].value == (
                None if value.value is None else pytest.approx(value.value, rel=1e-3, abs=1e-5)
            ), name
    assert two.knows(random_graphs(1, 0.3, 3).hashes).all() and not two.knows(samples.hashes).any()
    with pytest.raises(UserError, match="rule of graphs"):
        build(samples, rule="planer")
    with pytest.raises(UserError, match="reference r: none of its 1 training records is a readable graph"):
        build(from_edges([2], [0, 1], np.array([[1, 1]])), name="r")


def test_logistic_regression_is_at_its_minimum():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.5, 1, (20, 3)), rng.normal(-0.5, 2, (60, 3))
    first[:, 1] = second[:, 1] = 7
    law = fit(first, second)
    x = [(rows - law.center) / law.scale for rows in (first, second)]
    pulls = [1 / (1 + np.exp(law.log_odds(first))), -1 / (1 + np.exp(-law.log_odds(second)))]
    slope = sum(40 / len(part) * pull @ part for part, pull in zip(x, pulls, strict=True))
    assert slope == pytest.approx(law.weights, abs=1e-5) and law.weights[1] == 0
    assert pulls[0].mean() == pytest.approx(-pulls[1].mean(), abs=1e-6)  # both classes count the same
    other = fit(second, first)
    assert other.log_odds(first) == pytest.approx(-law.log_odds(first), abs=1e-5)
    apart = fit(np.full((5, 1), 1.0), np.full((5, 1), -1.0))
    assert 0 < apart.log_odds(np.ones((1, 1)))[0] < 10


def described(rng, count, shift):
    return Descriptors({name: rng.normal(shift if name == "orbit" else 0, 1, (count, 4)) for name in NAMES})


def test_discrepancy_finds_the_description_that_differs():
    rng = np.random.default_rng(0)
    reference = described(rng, 200, 0)
    found = discrepancy(described(rng, 200, 3), reference)
    assert (
        found.chosen == "orbit" and found.value.value > 0.9 and found.value.low <= found.value.value <= found.value.high
    )
    assert found.bounds["degree"].value < 0.3
    assert discrepancy(described(rng, 200, 0), reference).value.value < 0.3
    none = discrepancy(described(rng, LEAST - 1, 0), reference, 3)
    assert none.value.value is None and none.chosen is None and none.value.undecided == LEAST + 2


def test_nothing_depends_on_the_order_of_records():
    reference = build(random_graphs(20, 0.3, 0), random_graphs(20, 0.3, 100), "connected")
    samples = random_graphs(24, 0.35, 200)
    other = samples.select(np.random.default_rng(0).permutation(24))
    for metric in METRICS:
        first, second = measure(metric, samples, reference), measure(metric, other, reference)
        assert all(second[name].value == pytest.approx(one.value, abs=1e-9) for name, one in first.items())


def test_discrepancy_bounds_the_distance_of_known_laws():
    """Of normal laws one deviation apart the Jensen-Shannon distance is the best classifier's."""
    rng = np.random.default_rng(1)
    grid = np.linspace(-8, 9, 20001)
    p, q = np.exp(-(grid**2) / 2), np.exp(-((grid - 1) ** 2) / 2)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    exact = math.sqrt((p @ np.log2(p / middle) + q @ np.log2(q / middle)) / 2)
    one, two = (Descriptors({name: rng.normal(shift, 1, (20000, 1)) for name in NAMES}) for shift in (0, 1))
    assert discrepancy(two, one).value.value == pytest.approx(exact, abs=0.02)


def test_regular_graphs_are_judged_in_under_a_second():
    samples = from_graphs([graph_of(nx.random_regular_graph(3, 20, seed=seed)) for seed in range(64)])
    reference = build(
        from_graphs([graph_of(nx.random_regular_graph(3, 20, seed=seed)) for seed in range(60, 90)]), rule="connected"
    )
    start = time.process_time()
    found = measure(Quality, samples, reference)
    assert time.process_time() - start < 1
    assert found["vun"].value == found["novelty"].value == 60 / 64
