"""Optima are optima, all of them; every graph is in one split; a conditional model samples labels of given graphs."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from symdiff.cli.main import app
from symdiff.data.dataset import Dataset
from symdiff.data.sets.symmetric_problems import DRAWS, PROBLEMS, find_optima, symmetric_problem


def edges_of(graph: nx.Graph) -> np.ndarray:
    return np.array(nx.convert_node_labels_to_integers(graph).edges, np.int64).reshape(-1, 2)


@pytest.mark.parametrize(
    ("name", "graph", "best", "count"),
    [
        ("max-cut", nx.cycle_graph(5), 4, 10),
        ("max-cut", nx.complete_bipartite_graph(3, 4), 12, 2),
        ("max-cut", nx.complete_graph(6), 9, 20),
        ("max-cut", nx.petersen_graph(), 12, None),
        ("independent-set", nx.cycle_graph(6), 3, 2),
        ("independent-set", nx.cycle_graph(7), 3, 7),
        ("independent-set", nx.petersen_graph(), 4, 5),
        ("independent-set", nx.hypercube_graph(3), 4, 2),
    ],
)
def test_known_optima(name, graph, best, count):
    value, optima = find_optima(name, len(graph), edges_of(graph))
    assert value == best and count in (None, len(optima))
    assert len(np.unique(optima, axis=0)) == len(optima)


@pytest.mark.parametrize("name", ["max-cut", "independent-set"])
def test_against_every_labeling_counted_one_by_one(name):
    graph = nx.gnp_random_graph(8, 0.4, seed=3)
    edges, values = edges_of(graph), {}
    for labels in product((0, 1), repeat=8):
        cut = sum(labels[u] != labels[v] for u, v in edges)
        free = not any(labels[u] and labels[v] for u, v in edges)
        values[labels] = cut if name == "max-cut" else sum(labels) if free else -1
    best = max(values.values())
    value, optima = find_optima(name, 8, edges)
    assert value == best and {tuple(row) for row in optima.tolist()} == {k for k, v in values.items() if v == best}


@pytest.fixture(scope="module")
def cuts() -> Dataset:
    return symmetric_problem("max-cut")


@pytest.mark.slow
def test_rows_are_optima_and_a_graph_is_in_one_split(cuts):
    assert len(cuts) == 264 * DRAWS and cuts.domain.conditions == ("edge",)
    seen: dict[bytes, str] = {}
    for split in cuts.splits:
        part = cuts.split(split)
        x = part.batch(torch.arange(0, len(part), DRAWS))
        for row, n in enumerate(x.num_nodes.tolist()):
            edges = torch.nonzero(x["edge"][row].triu(1)).numpy()
            assert seen.setdefault(edges.tobytes() + bytes([n]), split) == split
            labels = x["node"][row : row + 1, :n].numpy()
            assert PROBLEMS["max-cut"](labels, edges)[0] == find_optima("max-cut", n, edges)[0]


@pytest.mark.slow
def test_a_model_labels_given_graphs(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))

    def run(*words: object):
        return CliRunner().invoke(app, [str(word) for word in words])

    settings = ["training/steps=4", "denoiser/width=12", "denoiser/layers=1", "denoiser/pair_width=4"]
    done = run("train", "max-cut", "--out", tmp_path / "run", *(part for one in settings for part in ("--set", one)))
    assert done.exit_code == 0, done.output
    graphs = [nx.cycle_graph(5), nx.complete_bipartite_graph(2, 3), nx.path_graph(4)]
    stops = np.cumsum([0, *map(nx.number_of_edges, graphs)])
    edges = np.concatenate([edges_of(graph) for graph in graphs])
    np.savez(tmp_path / "g.npz", num_nodes=[len(graph) for graph in graphs], edge_ptr=stops, edges=edges)
    sample = ["sample", tmp_path / "run" / "checkpoint", "--steps", 2, "--graphs", tmp_path / "g.npz"]
    done = run(*sample, "--count", 6, "--out", tmp_path / "out.npz")
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "out.npz") as out:
        assert out["num_nodes"].tolist() == [5, 5, 5, 5, 4, 4]
        given = np.sort(np.concatenate([edges_of(graph) for graph in graphs for _ in range(2)]), 1)
        assert {tuple(e) for e in np.sort(out["edges"], 1).tolist()} == {tuple(e) for e in given.tolist()}
    refused = run(*sample, "--count", 4, "--out", tmp_path / "b.npz")
    assert refused.exit_code == 2 and "multiple of the 3" in refused.output
    refused = run(*sample[:4], "--count", 4, "--out", tmp_path / "b.npz")
    assert refused.exit_code == 2 and "--graphs: expected a file" in refused.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["independent-set", "triangular", "removed-links"])
def test_recipes_train_and_label_a_given_graph(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMDIFF_CACHE", str(tmp_path / "cache"))
    settings = [
        "training/steps=2",
        "denoiser/width=12",
        "denoiser/layers=1",
        "denoiser/heads=2",
        "denoiser/pair_width=4",
    ]
    words = ["train", name, "--out", tmp_path / "run", *(part for one in settings for part in ("--set", one))]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    edges = edges_of(nx.cycle_graph(6))
    np.savez(tmp_path / "g.npz", num_nodes=[6], edge_ptr=[0, 6], edges=edges)
    words = ["sample", tmp_path / "run" / "checkpoint", "--graphs", tmp_path / "g.npz", "--steps", 2]
    done = CliRunner().invoke(app, [str(word) for word in [*words, "--count", 3, "--out", tmp_path / "out.npz"]])
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "out.npz") as out:
        assert out["num_nodes"].tolist() == [6, 6, 6]
        each = np.sort(out["edges"], 1).reshape(3, 6, 2).tolist()
    assert all(sorted(one) == sorted(np.sort(edges, 1).tolist()) for one in each)
