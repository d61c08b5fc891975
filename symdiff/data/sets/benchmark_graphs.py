"""The graph benchmarks of the literature, each from the file that its authors published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.graphs import graphs
from symdiff.data.sources import local, origin
from symdiff.graphs.files import read_graphs

BENCHMARK_NODES = 2048
SPECTRE = "SPECTRE: Martinkus, Loukas, Perraudin, Wattenhofer, ICML 2022"
BENCHMARKS = {
    "planar": ("planar.npz", SPECTRE),
    "sbm": ("sbm.npz", SPECTRE),
    "tree": ("tree.npz", "Bergmeister, Martinkus, Perraudin, Wattenhofer, ICLR 2024"),
    "lobster": ("lobster.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
    "community_small": (
        "community_small.npz",
        "GraphRNN: You et al., ICML 2018; as in GDSS: Jo, Lee, Hwang, ICML 2022",
    ),
    "ego_small": ("ego_small.npz", "Citeseer ego graphs; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "enzymes": ("ENZYMES.npz", "BRENDA proteins; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "grid": ("grid.npz", "GraphRNN: You et al., ICML 2018; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "spectre_community": ("spectre_community_12_21_100.npz", SPECTRE),
    "high_tls": ("high_tls_200.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
    "low_tls": ("low_tls_200.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
}


def benchmark(name: str) -> Dataset:
    """Open a graph benchmark; node labels are kept for the cell graphs (``high_tls``, ``low_tls``) alone.

    Where the file has no split: the first fifth of the graphs to test, as GDSS does, the next tenth to validate.

    Parameters
    ----------
    name : str
        A key of ``BENCHMARKS``.

    Returns
    -------
    Dataset
        Of a ``Graph``.

    Raises
    ------
    UserError
        Where the file is missing or damaged.
    """
    file, title = BENCHMARKS[name]
    path = local("graphs", file)
    graph_set = read_graphs(path, BENCHMARK_NODES)
    if not name.endswith("_tls"):
        graph_set = replace(
            graph_set, graphs=tuple(graph and graph._replace(node_labels=None) for graph in graph_set.graphs)
        )
    if graph_set.split is None:
        place, count = np.arange(len(graph_set)), len(graph_set)
        graph_set = replace(graph_set, split=np.where(place < count // 5, 2, np.where(place < 3 * count // 10, 1, 0)))
    return graphs(graph_set, {"name": name, "source": origin(title, [path])}, BENCHMARK_NODES)
