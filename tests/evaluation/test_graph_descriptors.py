"""Descriptions of graphs against enumeration, hand counts and published numbers."""

import itertools
import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from symdiff_evaluation.graphs.descriptors import NAMES, clustering_coefficients, describe, laplacian_spectrum
from symdiff_evaluation.graphs.graph import Graph
from symdiff_evaluation.graphs.graphs import from_edges
from symdiff_evaluation.graphs.mmd import SIGMAS, biased, estimate, kernel, unbiased
from symdiff_evaluation.graphs.orbits import orbit_counts

DATA = Path(os.environ.get("SYMDIFF_DATA", "absent"), "graphs")
GOLDEN = {"planar": ("0.00019", "0.0310", "0.00054", "0.0038"), "sbm": ("0.00085", "0.0332", "0.0255", "0.0027")}
# of each connected graph of two to four nodes by its degrees: the number of each node's orbit by its degree
ORBITS = {
    (1, 1): {1: 0},
    (1, 1, 2): {1: 1, 2: 2},
    (2, 2, 2): {2: 3},
    (1, 1, 2, 2): {1: 4, 2: 5},
    (1, 1, 1, 3): {1: 6, 3: 7},
    (2, 2, 2, 2): {2: 8},
    (1, 2, 2, 3): {1: 9, 2: 10, 3: 11},
    (2, 2, 3, 3): {2: 12, 3: 13},
    (3, 3, 3, 3): {3: 14},
}


def graph_of(source: nx.Graph) -> Graph:
    source = nx.convert_node_labels_to_integers(source)
    edges = np.array(sorted(tuple(sorted(edge)) for edge in source.edges), np.int64).reshape(-1, 2)
    return Graph(len(source), edges)


def enumerated(source: nx.Graph) -> np.ndarray:
    counts = np.zeros((len(source), 15), int)
    for size in (2, 3, 4):
        for nodes in itertools.combinations(range(len(source)), size):
            part = source.subgraph(nodes)
            key = tuple(sorted(degree for _, degree in part.degree))
            if key in ORBITS and nx.is_connected(part):
                for node, degree in part.degree:
                    counts[node, ORBITS[key][degree]] += 1
    return counts


@pytest.mark.parametrize("share", [0.15, 0.4, 0.6, 0.85, 1.0])
def test_orbits_are_those_of_all_subgraphs(share):
    for seed in range(6):
        source = nx.gnp_random_graph(9, share, seed)
        assert orbit_counts(graph_of(source)).tolist() == enumerated(source).tolist()


def test_clustering_and_spectra_agree_with_networkx():
    source = nx.gnp_random_graph(20, 0.2, 3)
    source.add_node(20)  # alone
    graph = graph_of(source)
    assert clustering_coefficients(graph) == pytest.approx(list(nx.clustering(source).values()))
    known = np.linalg.eigvalsh(nx.normalized_laplacian_matrix(source).toarray())
    assert laplacian_spectrum(graph) == pytest.approx(known, abs=1e-12)


def test_histograms_by_hand():
    triangle, star = graph_of(nx.complete_graph(3)), graph_of(nx.star_graph(3))
    found = describe([triangle, star])
    assert found["degree"].tolist() == [[0, 0, 1, 0], [0, 0.75, 0, 0.25]]
    assert found["clustering"][0].argmax() == 99 and found["clustering"][1].argmax() == 0
    assert np.flatnonzero(found["spectral"][0]).tolist() == [0, 150]  # 0 and twice 3/2
    assert found["spectral"][1][[0, 100, 199]].tolist() == [0.25, 0.5, 0.25]  # 0, twice 1, and 2
    assert found["orbit"][1].tolist() == [1.5, 1.5, 0.75, 0, 0, 0, 0.75, 0.25] + [0] * 7
    assert all(found[name].sum(1) == pytest.approx([1, 1]) for name in NAMES if name != "orbit")


def test_discrepancy_by_hand():
    triangle, star = graph_of(nx.complete_graph(3)), graph_of(nx.star_graph(3))
    x, y = describe([triangle, star]), describe([star, star])
    law = kernel(x["degree"], y["degree"], 1.0)  # the distance of triangle and star is 1
    k = np.exp(-0.5)
    assert biased(law) == pytest.approx((2 + 2 * k) / 4 + 1 - 2 * (2 + 2 * k) / 4)
    assert unbiased(law) == pytest.approx(k + 1 - (1 + k))
    assert biased(kernel(x["orbit"], x["orbit"], 30.0)) == pytest.approx(0)


@pytest.mark.skipif(not DATA.is_dir(), reason="SYMDIFF_DATA names no folder with graphs/")
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_published_values_of_training_against_test(name):
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        graphs, split = from_edges(file["num_nodes"], file["edge_ptr"], file["edges"], place=name), file["split"]
    train, test = (describe(graphs.select(np.flatnonzero(split == part)).readable) for part in (0, 2))
    for kind, published in zip(NAMES, GOLDEN[name], strict=True):
        value = biased(kernel(train[kind], test[kind], SIGMAS[kind]))
        assert f"{value:.{len(published) - 2}f}" == published, kind


def sets(rng, count, shift=0.0):
    """Random histograms of a law that ``shift`` moves."""
    return rng.dirichlet(np.array([4 + shift, 3, 2, 1]), count)


def test_the_unbiased_estimate_is_near_zero_for_one_law():
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert abs(unbiased(kernel(sets(rng, 400), sets(rng, 400), 1.0))) < 0.002


def covered(kind, truth, reference):
    """How many of 500 intervals hold the truth; ``reference(rng)`` gives what each is against."""
    rng = np.random.default_rng(1)
    found = [estimate(kernel(sets(rng, 60, 2.0), reference(rng), 0.3), kind) for _ in range(500)]
    return np.mean([one.low <= truth <= one.high for one in found])


def test_unbiased_intervals_cover_the_distance_of_the_laws():
    rng = np.random.default_rng(2)
    truth = np.mean([unbiased(kernel(sets(rng, 2000, 2.0), sets(rng, 2000), 0.3)) for _ in range(4)])
    assert 0.92 <= covered("unbiased", truth, lambda rng: sets(rng, 40)) <= 0.98


def test_biased_intervals_cover_the_mean_against_the_same_reference():
    rng = np.random.default_rng(3)
    reference = sets(rng, 40)
    truth = np.mean([biased(kernel(sets(rng, 60, 2.0), reference, 0.3)) for _ in range(2000)])
    assert 0.92 <= covered("biased", truth, lambda rng: reference) <= 0.98
