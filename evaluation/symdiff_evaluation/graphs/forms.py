"""Which graphs are the same: 64-bit hashes of canonical forms, labels and all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.graphs.edge_list import MAX_LABEL
from symdiff.state import Categorical, State, node_mask
from symdiff_evaluation.graphs.graph import SimpleGraph

SCHEMA = {"node": Categorical("node", MAX_LABEL + 1), "edge": Categorical("pair", MAX_LABEL + 3, undirected=True)}
_PAIRS = 1 << 22  # of nodes in one batch
BUDGET = 300_000_000  # pairs of nodes looked at in the search through one component: seconds for the largest
UNDECIDED = 0  # the hash of a graph for which that does not suffice
_LARGE = 256  # nodes beyond which distances come before the search


def hash_forms(graphs: Sequence[SimpleGraph], budget: int = BUDGET) -> np.ndarray:
    """Hash the canonical forms of graphs.

    The hash of several components is that of the sorted hashes of each, which spares the search for what exchanges
    them. Graphs of one size are labeled together.

    Parameters
    ----------
    graphs : sequence of SimpleGraph, (n,)
        A graph without labels is one whose labels are all 0.
    budget : int
        Number of pairs of nodes that the search through one component may look at.

    Returns
    -------
    numpy.ndarray, (n,) uint64
        Equal for isomorphic graphs with corresponding labels, and for no others but by a collision (1 in 10^19 a pair);
        ``UNDECIDED`` where the budget does not suffice, for symmetric graphs of some hundred nodes.
    """
    parts = [graph.parts() for graph in graphs]
    hashes = iter(_hash_connected([part for some in parts for part in some], budget).tolist())
    components = [sorted(next(hashes) for _ in some) for some in parts]
    return np.array([_whole(one) for one in components], np.uint64)


def _whole(hashes: Sequence[int]) -> int:
    if UNDECIDED in hashes:
        return UNDECIDED
    return hashes[0] if len(hashes) == 1 else _join(hashes)


def _join(hashes: Sequence[int]) -> int:
    data = np.array(hashes, ">u8").tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _hash_connected(graphs: Sequence[SimpleGraph], budget: int) -> np.ndarray:
    hashes = np.zeros(len(graphs), np.uint64)
    canonicalizer = Nodes()
    graphs, tables = zip(*map(_by_distances, graphs), strict=True) if graphs else ((), ())
    for which in _batches(graphs):
        forms, decided = canonicalizer.form_within(_state([graphs[k] for k in which]), budget)
        hashes[which] = np.where(decided.numpy(), forms.numpy().view(np.uint64), UNDECIDED)
    for k, table in enumerate(tables):
        if table is not None and hashes[k] != UNDECIDED:
            hashes[k] = _join([int(hashes[k]), table])
    return hashes


def _by_distances(graph: SimpleGraph) -> tuple[SimpleGraph, int | None]:
    """A large graph with nodes labeled by label and number of nodes at each distance, and a hash of what these labels
    stand for.

    In regular graphs, where color refinement sees nothing, this tells most nodes apart, and spares the search.
    """
    if graph.num_nodes <= _LARGE:
        return graph, None
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    ones = np.ones(len(graph.edges), np.int8)
    matrix = coo_array((ones, (graph.edges[:, 0], graph.edges[:, 1])), shape=(graph.num_nodes, graph.num_nodes))
    distance = shortest_path(matrix, directed=False, unweighted=True).astype(np.int64)
    counts = np.zeros((graph.num_nodes, distance.max() + 2), np.int64)
    np.add.at(counts, (np.arange(graph.num_nodes)[:, None], distance + 1), 1)
    counts[:, 0] = 0 if graph.node_labels is None else graph.node_labels
    kinds, which = np.unique(counts, axis=0, return_inverse=True)
    table = int.from_bytes(hashlib.blake2b(kinds.astype(">i8").tobytes(), digest_size=8).digest())
    return SimpleGraph(graph.num_nodes, graph.edges, which.ravel(), graph.edge_labels), table


def _batches(graphs: Sequence[SimpleGraph]) -> Iterator[list[int]]:
    batch: list[int] = []
    for k in np.argsort([graph.num_nodes for graph in graphs], kind="stable").tolist():
        size = graphs[k].num_nodes
        # of one size: which of several forms is the least depends on padding, and a hash must not depend on its batch
        if batch and (graphs[batch[0]].num_nodes != size or (len(batch) + 1) * size**2 > _PAIRS):
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch


def _state(graphs: Sequence[SimpleGraph]) -> State:
    mask = node_mask(torch.tensor([graph.num_nodes for graph in graphs]))
    nodes = torch.zeros(mask.shape, dtype=torch.int64)
    edges = torch.zeros(*mask.shape, mask.shape[1], dtype=torch.int64)
    for row, graph in enumerate(graphs):
        u, v = torch.from_numpy(graph.edges).T
        kinds = torch.ones(len(u), dtype=torch.int64)
        if graph.edge_labels is not None:
            kinds += torch.from_numpy(graph.edge_labels)
        edges[row, u, v] = edges[row, v, u] = kinds
        if graph.node_labels is not None:
            nodes[row, : graph.num_nodes] = torch.from_numpy(graph.node_labels)
    return State(mask, SCHEMA, {"node": nodes, "edge": edges})
