"""Problems on graphs with all their optima: maximum cuts and independent sets, frustrated spins, removed links."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from symdiff.canonical import Nodes
from symdiff.data.dataset import Dataset
from symdiff.data.molecules import split_by_content
from symdiff.data.parsing import Progress
from symdiff.data.sets.random_graphs import symmetric_graphs
from symdiff.data.sets.triangular import pieces
from symdiff.domains.arrays import pack
from symdiff.domains.graph import Graph
from symdiff.state import Categorical, State

DRAWS = 64
"""Optima of a graph that are drawn, with repeats where it has few."""


def cut_sizes(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count the edges that join nodes with different labels.

    Parameters
    ----------
    labels : ndarray
        (M, N) of 0 and 1.
    edges : ndarray
        (E, 2), of the one graph.

    Returns
    -------
    ndarray
        (M,) int64.
    """
    return (labels[:, edges[:, 0]] != labels[:, edges[:, 1]]).sum(1)


def set_sizes(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count the chosen nodes of independent sets.

    Parameters
    ----------
    labels : ndarray
        (M, N): 1 for chosen nodes.
    edges : ndarray
        (E, 2), of the one graph.

    Returns
    -------
    ndarray
        (M,) int64; −1 where two chosen nodes are joined.
    """
    joined = (labels[:, edges[:, 0]] & labels[:, edges[:, 1]]).any(1)
    return np.where(joined, -1, labels.sum(1, dtype=np.int64))


def satisfied_bonds(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Evaluate minus the energy of an antiferromagnet over its coupling: bonds of unlike spins less those of like ones.

    Parameters
    ----------
    labels : ndarray
        (M, N) of 0 and 1.
    edges : ndarray
        (E, 2), of the one graph.

    Returns
    -------
    ndarray
        (M,) int64.
    """
    return 2 * cut_sizes(labels, edges) - len(edges)


def name_links(labels: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Tell whether the two chosen nodes are not joined, and automorphic.

    Parameters
    ----------
    labels : ndarray
        (M, N): 1 for chosen nodes.
    edges : ndarray
        (E, 2), of the one graph.

    Returns
    -------
    ndarray
        (M,) int64: 1 for such a pair, else 0, also for more or fewer chosen nodes.
    """
    orbit = find_orbits(labels.shape[1], edges)
    alike = orbit[:, None] == orbit
    alike[edges[:, 0], edges[:, 1]] = alike[edges[:, 1], edges[:, 0]] = False
    two = labels.sum(1) == 2
    ends = np.nonzero(labels[two])[1].reshape(-1, 2)
    values = np.zeros(len(labels), np.int64)
    values[two] = alike[ends[:, 0], ends[:, 1]]
    return values


def find_orbits(nodes: int, edges: np.ndarray) -> np.ndarray:
    """Find the orbits of a graph's nodes under its automorphisms.

    Parameters
    ----------
    nodes : int
        The number N of nodes.
    edges : ndarray
        (E, 2).

    Returns
    -------
    ndarray
        (N,) int64, a number for every node, the same for nodes of one orbit.
    """
    edge = torch.zeros(nodes, nodes, dtype=torch.long)
    edge[edges[:, 0], edges[:, 1]] = edge[edges[:, 1], edges[:, 0]] = 1
    schema = {"node": Categorical("node", 2), "edge": Categorical("pair", 2, undirected=True)}
    values = {"node": torch.eye(nodes, dtype=torch.long), "edge": edge.expand(nodes, -1, -1)}
    return Nodes().form(State(torch.ones(nodes, nodes, dtype=torch.bool), schema, values)).numpy()


PROBLEMS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "max-cut": cut_sizes,
    "independent-set": set_sizes,
    "triangular": satisfied_bonds,
    "removed-links": name_links,
}
"""What is to be as great as can be, by the name of the data set."""


def find_optima(name: str, nodes: int, edges: np.ndarray) -> tuple[int, np.ndarray]:
    """Find the greatest value of a problem on a graph, and all labelings that reach it, by enumeration.

    Parameters
    ----------
    name : str
        A key of ``PROBLEMS``.
    nodes : int
        N, at most 24.
    edges : ndarray
        (E, 2) int64.

    Returns
    -------
    int
        The greatest value.
    ndarray
        (M, N) uint8, all labelings that reach it.

    Raises
    ------
    ValueError
        For more nodes.
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
    """Make the data set of the graphs of ``symmetric_graphs`` with optima of a problem as labels of their nodes.

    The edges are given. For removed-links the labels mark the ends of a link between two automorphic nodes, which is no
    longer there; graphs without such a pair are left out.

    Parameters
    ----------
    name : str
        The problem, as ``label_graphs`` takes it.
    seed : int
        Of the choice among optima.
    progress : callable, optional
        Called with how many graphs were labeled now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``Graph`` with conditions.
    """
    source = symmetric_graphs()
    forms = Nodes().form(source.batch(torch.arange(len(source))))
    split = split_by_content([int(code).to_bytes(8, "little", signed=True) for code in forms])
    return label_graphs(name, source, split, DRAWS, seed, progress)


def triangular(counts: tuple[int, int, int] = (2000, 100, 500), seed: int = 0, progress: Progress = None) -> Dataset:
    """Make a data set of open pieces of the triangular lattice with ground states of the antiferromagnet as labels.

    The bonds are given.

    Parameters
    ----------
    counts : tuple of int
        Pieces to train, to validate and to test; regular shapes are to test.
    seed : int
        Of the pieces, and of the choice among ground states.
    progress : callable, optional
        Called with how many graphs were labeled now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``Graph`` with conditions.
    """
    source = pieces(sum(counts), seed)
    split = np.repeat(np.array([2, 0, 1], np.uint8), [counts[2], counts[0], counts[1]])
    return label_graphs("triangular", source, split, DRAWS // 4, seed, progress)


def label_graphs(
    name: str, source: Dataset, split: np.ndarray, draws: int, seed: int = 0, progress: Progress = None
) -> Dataset:
    """Make a data set of graphs with optima of a problem as labels of their nodes, the edges given.

    Every optimum of a graph is as likely as any other, so the distribution of the labels given the graph is
    equivariant. All rows of a graph are in one split.

    Parameters
    ----------
    name : str
        A key of ``PROBLEMS``; graphs whose greatest value is 0 are left out.
    source : Dataset
        M plain graphs.
    split : ndarray
        (M,) uint8, of every graph.
    draws : int
        Optima of a graph that are drawn, behind each other.
    seed : int
        Of the choice among optima.
    progress : callable, optional
        Called with how many graphs were labeled now, and how many there are.

    Returns
    -------
    Dataset
        Of a ``Graph`` with conditions.
    """
    domain = Graph(node_classes=2, edge_classes=2, max_nodes=64, conditions=["edge"])
    random, records, owners = np.random.default_rng(seed), [], []
    for row in range(len(source)):
        x = source.batch(torch.tensor([row]))
        nodes = int(x.num_nodes[0])
        edges = torch.nonzero(x["edge"][0].triu(1)).numpy()
        best, optima = find_optima(name, nodes, edges)
        for pick in random.integers(len(optima), size=draws if best > 0 else 0):
            records.append(domain.codec.record(optima[pick].astype(np.int64), edges, np.ones(len(edges), np.int64)))
            owners.append(row)
        if progress is not None:
            progress(1, len(source))
    arrays = pack(records, domain.schema)
    arrays["split"] = split[owners]
    about = {"title": f"optima of {name}, all of them computed by the package", "seed": seed}
    return Dataset.from_arrays(domain, arrays, {"name": name, "source": about, "order": "source", "draws": draws})
