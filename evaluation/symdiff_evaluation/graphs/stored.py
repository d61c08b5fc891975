"""What is worked out of graphs, and how shards hold it. All of it is done in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np

from symdiff_evaluation.graphs.descriptors import described
from symdiff_evaluation.graphs.graph import Graph
from symdiff_evaluation.graphs.symmetry import Symmetry, symmetry
from symdiff_evaluation.graphs.validity import broken
from symdiff_evaluation.shards import Progress, Work

_COST = 16  # of a graph, that of judging a SMILES being 1


def descriptions() -> Work[Graph, dict[str, np.ndarray]]:
    """``descriptors.described``."""
    return Work(
        "descriptors",
        _one_by_one(described),
        identity,
        plain=lambda rows: {name: row.tolist() for name, row in rows.items()},
        restored=lambda told: {name: np.array(row, np.float64) for name, row in told.items()},
        packages=("numpy", "scipy"),
        cost=_COST,
    )


def canonical_hashes() -> Work[Graph, int]:
    """``forms.canonical_hashes``."""

    def run(graphs: Sequence[Graph], progress: Progress | None) -> list[int]:
        from symdiff_evaluation.graphs import forms  # torch

        return forms.canonical_hashes(graphs).tolist()

    return Work("hashes", run, identity, plain=int, restored=int, packages=("numpy", "scipy", "torch"), cost=_COST)


def symmetries(name: str) -> Work[Graph, Symmetry | None]:
    """``symmetry.symmetry``, kept under a name."""
    return Work(name, _one_by_one(symmetry), identity, _numbers, _symmetry, cost=_COST)


def broken_by(rule: str) -> Work[Graph, str]:
    """``validity.broken`` by one rule."""
    return Work(f"rule-{rule}", _one_by_one(partial(broken, rule=rule)), identity, str, str, ("numpy", "scipy", "networkx"), _COST)


def identity(graph: Graph) -> bytes:
    """Bytes that differ where two graphs do, in their numbering or their labels."""
    arrays = (graph.edges, graph.node_labels, graph.edge_labels)
    head = f"{graph.num_nodes} {[None if array is None else len(array) for array in arrays]}\n".encode()
    return head + b"".join(array.astype("<i8").tobytes() for array in arrays if array is not None)


def _one_by_one(work: Callable[[Graph], object]) -> Callable:
    def run(graphs: Sequence[Graph], progress: Progress | None) -> list:
        return [work(graph) for graph in graphs]

    return run


def _numbers(one: Symmetry | None) -> dict[str, int] | None:
    return None if one is None else asdict(one)


def _symmetry(told: Mapping[str, int] | None) -> Symmetry | None:
    return None if told is None else Symmetry(**told)
