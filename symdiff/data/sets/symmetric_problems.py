"""Problems on symmetric graphs, with all their optima: maximum cuts and maximum independent sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from symdiff.canonical import Nodes
from symdiff.data.dataset import Dataset
from symdiff.data.molecules import split_by_content
from symdiff.data.parsing import Progress
from symdiff.data.sets.random_graphs import symmetric_graphs
from symdiff.domains.arrays import pack
from symdiff.domains.graph import Graph

DRAWS = 64
"""Optima of a graph that are drawn, with repeats where it has few."""


def cut_sizes(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many edges join nodes with different labels, (M,), for labels (M, N) of 0 and 1."""
    return (labels[:, edges[:, 0]] != labels[:, edges[:, 1]]).sum(1)


def set_sizes(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many nodes are chosen (label 1), (M,); −1 where two of them are joined."""
    joined = (labels[:, edges[:, 0]] & labels[:, edges[:, 1]]).any(1)
    return np.where(joined, -1, labels.sum(1, dtype=np.int64))


PROBLEMS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "max-cut": cut_sizes,
    "independent-set": set_sizes,
}
"""What is to be as great as can be, by the name of the data set."""


def find_optima(name: str, nodes: int, edges: np.ndarray) -> tuple[int, np.ndarray]:
    """The greatest value of a problem on a graph, and all labelings (M, N) uint8 that reach it, by enumeration.

    Parameters
    ----------
    name : str
        One of ``PROBLEMS``.
    nodes : int
        N, at most 24.
    edges : numpy.ndarray
        (E, 2) int64.
    """
    if nodes > 24:
        raise ValueError(f"expected at most 24 nodes, got {nodes}")
    best, optima = -1, []
    for start in range(0, 1 << nodes, 1 << 16):
        codes = np.arange(start, min(start + (1 << 16), 1 << nodes))
        labels = (codes[:, None] >> np.arange(nodes) & 1).astype(np.uint8)
        values = PROBLEMS[name](labels, edges)
        if values.max() > best:
            best, optima = int(values.max()), []
        optima.append(labels[values == best])
    return best, np.concatenate(optima)


def symmetric_problem(name: str, seed: int = 0, progress: Progress = None) -> Dataset:
    """The graphs of ``symmetric_graphs`` with optima of a problem as labels of their nodes, the edges given.

    Every optimum of a graph is as likely as any other, so the distribution of the labels given the graph is
    equivariant. All rows of a graph are in one split.
    """
    source = symmetric_graphs()
    domain = Graph(node_classes=2, edge_classes=2, max_nodes=64, conditions=["edge"])
    random, records, owners = np.random.default_rng(seed), [], []
    for row in range(len(source)):
        x = source.batch(torch.tensor([row]))
        nodes = int(x.num_nodes[0])
        edges = torch.nonzero(x["edge"][0].triu(1)).numpy()
        optima = find_optima(name, nodes, edges)[1]
        for pick in random.integers(len(optima), size=DRAWS):
            records.append(domain.codec.record(optima[pick].astype(np.int64), edges, np.ones(len(edges), np.int64)))
            owners.append(row)
        if progress is not None:
            progress(row + 1, len(source))
    arrays = pack(records, domain.schema)
    forms = Nodes().form(source.batch(torch.arange(len(source))))
    arrays["split"] = split_by_content([int(code).to_bytes(8, "little", signed=True) for code in forms])[owners]
    about = {"title": f"all optima of {name} on symmetric graphs, computed by the package", "seed": seed}
    return Dataset.from_arrays(domain, arrays, {"name": name, "source": about, "order": "source", "draws": DRAWS})
