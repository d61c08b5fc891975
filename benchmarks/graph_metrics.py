"""Our numbers of graphs beside those of polygraph-benchmark, in an environment that has both.

    pip install polygraph-benchmark scikit-learn    # in an environment of its own; it pins other versions than we do
    PYTHONPATH=.:evaluation python benchmarks/graph_metrics.py planar.npz [sbm.npz ...] [--json]

Each file holds edge lists and ``split`` (0 training, 2 test). Compared are the squared MMD of the training graphs
against the test graphs, and the PolyGraph discrepancy with logistic regression on the same four descriptions: it
depends on which half is held back, so that means over thirty draws are given.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from symdiff_evaluation.graphs.descriptors import NAMES, describe
from symdiff_evaluation.graphs.discrepancy import discrepancy
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.mmd import SIGMAS, biased_mmd, kernel
from symdiff_evaluation.graphs.samples import Graphs, from_edges

DRAWS = 30
Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def splits(path: Path) -> tuple[Graphs, Graphs]:
    """Training and test graphs of a file."""
    with np.load(path, allow_pickle=False) as file:
        graphs = from_edges(file["num_nodes"], file["edge_ptr"], file["edges"], place=path.name)
        return tuple(graphs.select(np.flatnonzero(file["split"] == part)) for part in (0, 2))


def ours(train: Graphs, test: Graphs) -> dict[str, float]:
    one, two = describe(train.readable), describe(test.readable)
    return {name: biased_mmd(kernel(one[name], two[name], SIGMAS[name])) for name in NAMES}


def theirs(train: list, test: list) -> dict[str, float]:
    from polygraph.metrics import GaussianTVMMD2Benchmark

    return GaussianTVMMD2Benchmark(test).compute(train)


def our_discrepancy(train: Graphs, test: Graphs) -> float:
    one, two = describe(train.readable), describe(test.readable)
    size = min(len(one), len(two))
    found = [discrepancy(one.select(np.arange(size)), two.select(np.arange(size)), seed=seed) for seed in range(DRAWS)]
    return float(np.mean([one.value.value for one in found]))


def their_discrepancy(train: list, test: list) -> float:
    from polygraph.metrics.base import PolyGraphDiscrepancy
    from polygraph.utils.descriptors import ClusteringHistogram, EigenvalueHistogram, OrbitCounts, SparseDegreeHistogram
    from sklearn.linear_model import LogisticRegression

    size = min(len(train), len(test))
    descriptors = {
        "degree": SparseDegreeHistogram(),
        "clustering": ClusteringHistogram(bins=100),
        "orbit": OrbitCounts(graphlet_size=4),
        "spectral": EigenvalueHistogram(),
    }
    found = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        reference, samples = ([part[k] for k in rng.permutation(size)] for part in (test, train))
        judge = PolyGraphDiscrepancy(reference, descriptors, classifier=LogisticRegression(max_iter=10_000))
        found.append(judge.compute(samples)["pgd"])
    return float(np.mean(found))


def plain(graphs: Graphs) -> list:
    """As networkx graphs."""
    return [_networkx(graph) for graph in graphs.readable]


def _networkx(graph: SimpleGraph):
    import networkx

    made = networkx.empty_graph(graph.num_nodes)
    made.add_edges_from(graph.edges.tolist())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # those of the other package's dependencies
    rows = []
    for path in chosen.files:
        train, test = splits(path)
        others = plain(train), plain(test)
        theirs(others[0][:2], others[1][:2])  # compiles
        (own, spent), (other, waited) = timed(partial(ours, train, test)), timed(partial(theirs, *others))
        row = {"file": path.name, "seconds": spent, "their_seconds": waited}
        row["mmd"] = {name: {"ours": own[name], "theirs": float(other[name])} for name in NAMES}
        row["pgd"] = {"ours": our_discrepancy(train, test), "theirs": their_discrepancy(*others)}
        rows.append(row)
    if chosen.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['file']}: {row['seconds']:.2f} s, polygraph-benchmark {row['their_seconds']:.2f} s")
        for name, pair in {**row["mmd"], "pgd": row["pgd"]}.items():
            print(
                f"  {name:<11} {pair['ours']:.6g}  {pair['theirs']:.6g}  difference {pair['ours'] - pair['theirs']:.1e}"
            )


if __name__ == "__main__":
    main()
