"""What is worked out of graphs, in processes, and how shards hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.boundary import describe
from symdiff_evaluation.core.parallel import map_items, map_portions
from symdiff_evaluation.core.shards import Progress, Work
from symdiff_evaluation.graphs.descriptors import describe_graph
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.symmetry import Automorphisms, find_automorphisms
from symdiff_evaluation.graphs.validity import check

_COST = 16  # of a graph, that of judging a SMILES being 1
_CHUNK = 64  # graphs a task: a second's work by the slowest rule


def make_descriptor_work(workers: int = 1) -> Work[SimpleGraph, dict[str, np.ndarray]]:
    """Describe ``descriptors.describe_graph`` as work that shards can keep.

    Parameters
    ----------
    workers : int
        Number of processes.

    Returns
    -------
    Work
        From graphs to rows of descriptions.
    """
    return Work(
        "descriptors",
        partial(_one_by_one, describe_graph, workers),
        identity,
        plain=lambda rows: {name: row.tolist() for name, row in rows.items()},
        restore=lambda told: {name: np.array(row, np.float64) for name, row in told.items()},
        packages=("numpy", "scipy"),
        cost=_COST,
    )


def make_hash_work(workers: int = 1, name: str = "hashes") -> Work[SimpleGraph, int]:
    """Describe ``forms.hash_forms`` as work that shards can keep.

    Parameters
    ----------
    workers : int
        Number of processes.
    name : str
        Name of its folder.

    Returns
    -------
    Work
        From graphs to hashes.
    """

    def run(graphs: Sequence[SimpleGraph], progress: Progress | None) -> list[int]:
        return map_portions(_hashes, graphs, workers, progress)

    return Work(name, run, identity, plain=int, restore=int, packages=("numpy", "scipy", "torch"), cost=_COST)


def make_symmetry_work(name: str, workers: int = 1) -> Work[SimpleGraph, Automorphisms | None]:
    """Describe ``symmetry.find_automorphisms`` as work that shards can keep.

    Parameters
    ----------
    name : str
        Name of its folder.
    workers : int
        Number of processes.

    Returns
    -------
    Work
        From graphs to ``Automorphisms`` or None.
    """
    return Work(name, partial(_one_by_one, _symmetry_of, workers), identity, _numbers, _symmetry, cost=_COST)


def make_rule_work(rule: str, workers: int = 1) -> Work[SimpleGraph, str]:
    """Describe ``validity.check`` as work that shards can keep.

    Parameters
    ----------
    rule : str
        A name in ``RULES``.
    workers : int
        Number of processes.

    Returns
    -------
    Work
        From graphs to reasons.
    """
    run = partial(_one_by_one, partial(_broken_by, rule=rule), workers)
    return Work(f"rule-{rule}", run, identity, str, str, ("numpy", "scipy", "networkx"), _COST)


def identity(graph: SimpleGraph) -> bytes:
    """Give bytes that differ where two graphs do, in their numbering or their labels.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.

    Returns
    -------
    bytes
        Number of nodes, edges and labels.
    """
    arrays = (graph.edges, graph.node_labels, graph.edge_labels)
    head = f"{graph.num_nodes} {[None if array is None else len(array) for array in arrays]}\n".encode()
    return head + b"".join(array.astype("<i8").tobytes() for array in arrays if array is not None)


def _one_by_one(
    work: Callable[[SimpleGraph], object], workers: int, graphs: Sequence[SimpleGraph], progress: Progress | None
) -> list:
    return map_items(work, graphs, workers, progress, _CHUNK)


# what a library raises for one graph costs that graph, and no other


def _hashes(graphs: Sequence[SimpleGraph]) -> list[int]:
    from symdiff_evaluation.graphs import forms  # torch

    try:
        return forms.hash_forms(graphs).tolist()
    except Exception:
        return [0] if len(graphs) == 1 else [code for graph in graphs for code in _hashes([graph])]  # 0: undecided


def _symmetry_of(graph: SimpleGraph) -> Automorphisms | None:
    try:
        return find_automorphisms(graph)
    except Exception:
        return None  # undecided


def _broken_by(graph: SimpleGraph, rule: str) -> str:
    try:
        return check(graph, rule)
    except UserError:
        raise
    except Exception as error:
        return f"error: {describe(error)}"


def _numbers(one: Automorphisms | None) -> dict[str, int] | None:
    return None if one is None else asdict(one)


def _symmetry(plain: Mapping[str, int] | None) -> Automorphisms | None:
    return None if plain is None else Automorphisms(**plain)
