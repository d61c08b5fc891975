"""Which graphs are the same: 64-bit hashes of canonical forms, labels and all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from symdiff.canonical.nodes import Nodes
from symdiff.state import Categorical, State, node_mask
from symdiff_evaluation.graphs.graph import MAX_LABEL, Graph

SCHEMA = {"node": Categorical("node", MAX_LABEL + 1), "edge": Categorical("pair", MAX_LABEL + 2, undirected=True)}
_PAIRS = 1 << 22  # of nodes, padded, in one batch


def canonical_hashes(graphs: Sequence[Graph]) -> np.ndarray:
    """(n,) uint64, equal for isomorphic graphs with corresponding labels, and for no others but by a collision (1 in 10^19 a pair).

    A graph without labels is one whose labels are all 0. The hash of several components is that of the sorted hashes of each, which spares
    the search for what exchanges them. Graphs of like size are labeled together.
    """
    parts = [graph.parts() for graph in graphs]
    hashes = iter(_connected([part for some in parts for part in some]).tolist())
    found = [sorted(next(hashes) for _ in some) for some in parts]
    return np.array([one[0] if len(one) == 1 else _joined(one) for one in found], np.uint64)


def _joined(hashes: Sequence[int]) -> int:
    data = np.array(hashes, ">u8").tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _connected(graphs: Sequence[Graph]) -> np.ndarray:
    found = np.zeros(len(graphs), np.uint64)
    canonicalizer = Nodes()
    for which in _batches(graphs):
        found[which] = canonicalizer.form(_state([graphs[k] for k in which])).numpy().view(np.uint64)
    return found


def _batches(graphs: Sequence[Graph]) -> Iterator[list[int]]:
    batch: list[int] = []
    for k in np.argsort([graph.num_nodes for graph in graphs], kind="stable").tolist():
        if batch and (len(batch) + 1) * graphs[k].num_nodes ** 2 > _PAIRS:
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch


def _state(graphs: Sequence[Graph]) -> State:
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
