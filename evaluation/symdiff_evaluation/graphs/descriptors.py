"""Four descriptions of a graph as a vector, those that the field compares sets of graphs by.

Sources: You et al., GraphRNN, ICML 2018 (degrees, clustering, orbits); Liao et al., Efficient Graph Generation with
Graph Recurrent Attention Networks, NeurIPS 2019 (spectra). Bins and normalization are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.orbits import count_orbits

NAMES = ("degree", "clustering", "orbit", "spectral")
CLUSTERING_BINS = 100
SPECTRAL_BINS = 200
_LOWEST, _HIGHEST = -1e-5, 2.0  # of the eigenvalues; the zero lies inside its bin


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Four descriptions of graphs, one row a graph.

    Parameters
    ----------
    values : mapping of str to numpy.ndarray, (n, width) float64
        For the names in ``NAMES``.
    """

    values: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.values["degree"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]

    def select(self, which: np.ndarray) -> Descriptors:
        """Select graphs.

        Parameters
        ----------
        which : numpy.ndarray
            Numbers or a mask of rows.

        Returns
        -------
        Descriptors
            Their rows.
        """
        return Descriptors({name: value[which] for name, value in self.values.items()})


def describe(graphs: Sequence[SimpleGraph]) -> Descriptors:
    """Describe graphs in all four ways.

    Parameters
    ----------
    graphs : sequence of SimpleGraph, (n,)
        Graphs with at least one node.

    Returns
    -------
    Descriptors
        One row a graph.
    """
    return stack([describe_graph(graph) for graph in graphs])


def describe_graph(graph: SimpleGraph) -> dict[str, np.ndarray]:
    """Describe one graph in all four ways.

    Parameters
    ----------
    graph : SimpleGraph
        A graph with at least one node.

    Returns
    -------
    dict of str to numpy.ndarray
        The row of each description.
    """
    return {
        "degree": degree_histogram(graph),
        "clustering": clustering_histogram(graph),
        "orbit": count_orbits(graph).mean(0),
        "spectral": spectral_histogram(graph),
    }


def stack(rows: Sequence[Mapping[str, np.ndarray]]) -> Descriptors:
    """Stack the rows of graphs, padded with zeros.

    Parameters
    ----------
    rows : sequence of mapping of str to numpy.ndarray
        What ``describe_graph`` gave.

    Returns
    -------
    Descriptors
        One row a graph.
    """
    widths = {"degree": 1, "clustering": CLUSTERING_BINS, "orbit": 15, "spectral": SPECTRAL_BINS}
    return Descriptors({name: _stack([row[name] for row in rows], width) for name, width in widths.items()})


def degree_histogram(graph: SimpleGraph) -> np.ndarray:
    """Compute the shares of nodes by degree.

    Parameters
    ----------
    graph : SimpleGraph
        A graph with at least one node.

    Returns
    -------
    numpy.ndarray, (largest degree + 1,)
        The shares.

    References
    ----------
    You et al., GraphRNN: Generating Realistic Graphs with Deep Auto-regressive Models, ICML 2018.
    """
    return np.bincount(graph.degrees) / graph.num_nodes


def clustering_coefficients(graph: SimpleGraph) -> np.ndarray:
    """Compute the share of pairs of neighbors that are joined, for each node.

    Parameters
    ----------
    graph : SimpleGraph
        The graph.

    Returns
    -------
    numpy.ndarray, (N,)
        0 where there is no pair.
    """
    a, d = graph.adjacency, graph.degrees
    triangles = ((a @ a) * a).sum(1) / 2
    return 2 * triangles / np.maximum(d * (d - 1), 1)


def clustering_histogram(graph: SimpleGraph) -> np.ndarray:
    """Compute the shares of nodes by clustering coefficient, in 100 equal bins of [0, 1].

    Parameters
    ----------
    graph : SimpleGraph
        A graph with at least one node.

    Returns
    -------
    numpy.ndarray, (100,)
        The shares.

    References
    ----------
    You et al., GraphRNN: Generating Realistic Graphs with Deep Auto-regressive Models, ICML 2018.
    """
    return np.histogram(clustering_coefficients(graph), CLUSTERING_BINS, (0.0, 1.0))[0] / graph.num_nodes


def laplacian_spectrum(graph: SimpleGraph) -> np.ndarray:
    """Compute the eigenvalues of the normalized Laplacian 1 - D^(-1/2) A D^(-1/2).

    Parameters
    ----------
    graph : SimpleGraph
        The graph.

    Returns
    -------
    numpy.ndarray, (N,)
        Rising, in [0, 2]; a node without edges has the eigenvalue 0.
    """
    d = graph.degrees
    root = np.divide(1.0, np.sqrt(d), out=np.zeros(len(d)), where=d > 0)
    laplacian = np.diag((d > 0).astype(np.float64)) - root[:, None] * graph.adjacency * root
    return np.linalg.eigvalsh(laplacian).clip(0.0, _HIGHEST)  # rounding alone leads beyond


def spectral_histogram(graph: SimpleGraph) -> np.ndarray:
    """Compute the shares of the eigenvalues of the normalized Laplacian, in 200 equal bins of [-1e-5, 2].

    The eigenvalue 2 of bipartite graphs is in the last bin; libraries that do not clip it lose it where rounding puts
    it above 2.

    Parameters
    ----------
    graph : SimpleGraph
        A graph with at least one node.

    Returns
    -------
    numpy.ndarray, (200,)
        The shares.

    References
    ----------
    Liao et al., Efficient Graph Generation with Graph Recurrent Attention Networks, NeurIPS 2019.
    """
    return np.histogram(laplacian_spectrum(graph), SPECTRAL_BINS, (_LOWEST, _HIGHEST))[0] / graph.num_nodes


def align(*parts: np.ndarray) -> list[np.ndarray]:
    """Pad rows of different widths with zeros to the widest.

    Parameters
    ----------
    parts : numpy.ndarray, (n, width)
        Any number of tables.

    Returns
    -------
    list of numpy.ndarray
        Tables of one width.
    """
    width = max(part.shape[1] for part in parts)
    return [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts]


def _stack(rows: Iterable[np.ndarray], width: int = 1) -> np.ndarray:
    rows = list(rows)
    width = max((len(row) for row in rows), default=width)
    table = np.zeros((len(rows), width))
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table
