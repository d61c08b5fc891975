"""Whether graphs came out as they went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.reconstruction import ABOUT, exact_shares, wrong_share
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs

WRONG = "reconstruction.wrong_edges"


class GraphReconstruction(Metric):
    """Of the records whose input is a graph; isomorphic graphs, labels kept, are the same."""

    title = "Reconstruction"
    about = {
        **ABOUT,
        WRONG: (
            "pairs of nodes whose edge, or its label, differs from the input's, mean share; node i is compared with "
            "node i, where both have as many nodes"
        ),
    }

    def __call__(
        self, samples: Graphs, reference: GraphReference | None
    ) -> dict[str, Estimate | Callable[[], Estimate]]:
        if not samples.inputs:
            return {name: nothing(len(samples)) for name in self.about}

        @cache
        def shares() -> dict[str, Estimate]:
            orders = [None if one is None else one.order for one in samples.input_symmetries]
            return exact_shares(list(_same(samples)), orders)

        pairs = [None if graph is None else graph.num_nodes * (graph.num_nodes - 1) // 2 for graph in samples.inputs]
        wrong = [
            None if graph is None or given is None else count_wrong(graph, given)
            for graph, given in zip(samples.graphs, samples.inputs, strict=True)
        ]
        estimates: dict[str, Estimate | Callable[[], Estimate]] = {name: partial(_pick, shares, name) for name in ABOUT}
        return estimates | {WRONG: wrong_share(wrong, pairs)}


def count_wrong(graph: SimpleGraph, given: SimpleGraph) -> int | None:
    """Count the pairs of nodes whose edge or label differs.

    Parameters
    ----------
    graph, given : SimpleGraph
        The two graphs; node i is compared with node i.

    Returns
    -------
    int or None
        None where they have different numbers of nodes.
    """
    if graph.num_nodes != given.num_nodes:
        return None
    one, other = _labels(graph), _labels(given)
    return int(np.triu(one != other, 1).sum())


def _labels(graph: SimpleGraph) -> np.ndarray:
    """(N, N) int64: 0 for no edge, else the label."""
    labels = np.zeros((graph.num_nodes, graph.num_nodes), np.int64)
    u, v = graph.edges.T
    labels[u, v] = labels[v, u] = 1 if graph.edge_labels is None else graph.edge_labels
    return labels


def _same(samples: Graphs) -> Iterator[bool | None]:
    hashes = iter(samples.hashes.tolist())
    for graph, given in zip(samples.graphs, samples.input_hashes, strict=True):
        code = None if graph is None else next(hashes)
        if given is None:
            yield None
        elif code is None:
            yield False
        else:
            yield None if not code or not given else code == given


def _pick(work: Callable[[], dict[str, Estimate]], name: str) -> Estimate:
    return work()[name]
