"""Graphs from files: flat arrays, or GraphML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from symdiff.domains.graph_files import read_graphml
from symdiff.errors import UserError
from symdiff_evaluation.core.arrays import read_arrays
from symdiff_evaluation.graphs.samples import Graphs, from_edges

ENDINGS = (".npz", ".safetensors", ".graphml")
_NEEDED = ("num_nodes", "edge_ptr", "edges")
_INPUT = "input_"
TRAIN, TEST = 0, 2  # in an array ``split``


def read(path: str | Path) -> Graphs:
    """The graphs of a file. Raises ``UserError`` for one that cannot be read; a bad graph costs no other.

    .npz and .safetensors: ``num_nodes`` (G,), ``edge_ptr`` (G+1,), ``edges`` (E, 2) and perhaps ``node_label`` (one a node) and ``edge_label``
    (E,), the same with ``input_`` in front for the graphs that they were made from; other arrays are passed over. .graphml: one
    document of one or more graphs, with the integers ``label`` of nodes and edges, if any.
    """
    return _from_graphml(Path(path)) if Path(path).name.lower().endswith((".graphml", ".graphml.gz")) else from_columns(read_arrays(path), Path(path).name)


def parts(path: str | Path) -> tuple[Graphs, Graphs | None]:
    """The training and the test graphs of a file with an array ``split`` (0 and 2); else all of them, and None."""
    path = Path(path)
    arrays = {} if path.name.lower().endswith((".graphml", ".graphml.gz")) else read_arrays(path)
    graphs = read(path)
    split = arrays.get("split")
    if split is None:
        return graphs, None
    if split.shape != (len(graphs),):
        raise UserError(f"{path}: split: expected one number for each of {len(graphs)} graphs, got {split.shape}")
    test = np.flatnonzero(split == TEST)
    return graphs.select(np.flatnonzero(split == TRAIN)), graphs.select(test) if len(test) else None


def from_columns(arrays: Mapping[str, np.ndarray], place: str) -> Graphs:
    """The graphs of the arrays of a file. Raises ``UserError``."""
    found = _columns(arrays, place, "")
    if not any(f"{_INPUT}{name}" in arrays for name in _NEEDED):
        return found
    inputs = _columns(arrays, place, _INPUT)
    if len(inputs) != len(found):
        raise UserError(f"{place}: {_INPUT}num_nodes: expected one for each of {len(found)} graphs, got {len(inputs)}")
    return replace(found, inputs=inputs.graphs)


def _columns(arrays: Mapping[str, np.ndarray], place: str, front: str) -> Graphs:
    wanted = [front + name for name in _NEEDED]
    if any(name not in arrays for name in wanted):
        raise UserError(f"{place}: expected the arrays {', '.join(wanted[:-1])} and {wanted[-1]}, got {', '.join(arrays)[:100] or 'none'}")
    labels = (arrays.get(f"{front}node_label"), arrays.get(f"{front}edge_label"))
    return from_edges(*(arrays[name] for name in wanted), *labels, place)


def _from_graphml(path: Path) -> Graphs:
    found = read_graphml(path)
    sizes, edges, nodes, kinds = [], [], [], []
    for graph in found:
        place = {node: k for k, node in enumerate(graph.nodes)}
        sizes.append(len(place))
        edges.append([(place[u], place[v]) for u, v in graph.edges()])
        nodes += [data.get("label") for _, data in graph.nodes(data=True)]
        kinds += [data.get("label") for _, _, data in graph.edges(data=True)]
    pairs = np.array([pair for part in edges for pair in part], np.int64).reshape(-1, 2)
    ptr = np.concatenate([[0], np.cumsum([len(part) for part in edges])]).astype(np.int64)
    return from_edges(np.array(sizes, np.int64), ptr, pairs, _labels(nodes, path, "node"), _labels(kinds, path, "edge"), path.name)


def _labels(values: list, path: Path, what: str) -> np.ndarray | None:
    if all(value is None for value in values):
        return None
    try:
        exact = [int(value) for value in values]
        if any(float(value) != number for value, number in zip(values, exact, strict=True)):
            raise ValueError
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: expected an integer as the label of every {what}, or of none") from error
    return np.array(exact, np.int64)
