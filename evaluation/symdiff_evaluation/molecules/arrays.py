"""Molecules as labeled graphs in files: flat arrays, or GraphML. A bad one keeps its record and costs no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from rdkit import Chem

from symdiff.chemistry.kekule import Kekule, from_kekule, parse_label
from symdiff.domains.graph_files import read_graphml
from symdiff.errors import UserError
from symdiff_evaluation.core.arrays import read_arrays
from symdiff_evaluation.core.records import MAX_CHARGE, Record
from symdiff_evaluation.graphs.graph import Graph
from symdiff_evaluation.graphs.samples import from_edges

ENDINGS = (".npz", ".safetensors", ".graphml", ".graphml.gz")
NEEDED = ("num_nodes", "edge_ptr", "edges", "element", "charge", "order")
_CHARGES = 2 * MAX_CHARGE + 1
_HEAVIEST, _TRIPLE = 118, 3


def read(path: str | Path) -> Iterator[Record]:
    """The molecules of a file as mol blocks, hydrogens implied. Raises ``UserError`` for a file that cannot be read.

    Arrays ``num_nodes`` (M,), ``edge_ptr`` (M+1,), ``edges`` (E, 2), ``element`` and ``charge`` one an atom, ``order`` (E,) of 1 to 3; in
    GraphML ``element`` (a symbol) and ``charge`` of nodes, ``order`` of edges.
    """
    path = Path(path)
    arrays = _from_graphml(path) if path.name.lower().endswith(ENDINGS[2:]) else read_arrays(path)
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise UserError(f"{path}: expected the arrays {', '.join(NEEDED)}, lacks {missing[0]}")
    graphs = from_edges(arrays["num_nodes"], arrays["edge_ptr"], arrays["edges"], _labels(arrays, path), arrays["order"], path.name)
    for record, graph in zip(graphs.records, graphs.graphs, strict=True):
        if graph is None:
            empty = record.reason.endswith("got 0") and record.reason.startswith("size")
            yield Record(path.name, record.number, "", "molblock", "empty: no atom" if empty else f"graph: {record.reason}")
        elif len(graph.edges) and not (1 <= graph.edge_labels.min() and graph.edge_labels.max() <= _TRIPLE):
            yield Record(path.name, record.number, "", "molblock", "graph: expected bonds of order 1, 2 or 3")
        else:
            yield Record(path.name, record.number, _block(graph), "molblock")


def _labels(arrays: Mapping[str, np.ndarray], path: Path) -> np.ndarray:
    """One number for element and charge; -1, which no graph may have, for what is neither."""
    element, charge = arrays["element"], arrays["charge"]
    if element.shape != charge.shape or element.dtype.kind not in "iu" or charge.dtype.kind not in "iu":
        got = f"{element.dtype} {element.shape} and {charge.dtype} {charge.shape}"
        raise UserError(f"{path}: element, charge: expected integers, one of each an atom, got {got}")
    good = (element >= 1) & (element <= _HEAVIEST) & (charge >= -MAX_CHARGE) & (charge <= MAX_CHARGE)
    clipped = element.clip(0, _HEAVIEST).astype(np.int64), charge.clip(-MAX_CHARGE, MAX_CHARGE).astype(np.int64)
    return np.where(good, clipped[0] * _CHARGES + clipped[1] + MAX_CHARGE, -1)


def _block(graph: Graph) -> str:
    element, charge = np.divmod(graph.node_labels, _CHARGES)
    orders = np.zeros(0, np.int64) if graph.edge_labels is None else graph.edge_labels
    return Chem.MolToMolBlock(from_kekule(Kekule(element, charge - MAX_CHARGE, graph.edges, orders)), kekulize=False)


def _from_graphml(path: Path) -> dict[str, np.ndarray]:
    columns: dict[str, list] = {name: [] for name in NEEDED}
    columns["edge_ptr"].append(0)
    for drawing in read_graphml(path):
        place = {node: k for k, node in enumerate(drawing.nodes)}
        columns["num_nodes"].append(len(place))
        for node, data in drawing.nodes(data=True):
            columns["element"].append(_element(data.get("element")))
            columns["charge"].append(_whole(data.get("charge", 0), path, f"the charge of node {node}"))
        for u, v, data in drawing.edges(data=True):
            columns["edges"].append((place[u], place[v]))
            columns["order"].append(_whole(data.get("order"), path, f"the order of edge {u}-{v}"))
        columns["edge_ptr"].append(len(columns["edges"]))
    return {name: np.array(values, np.int64).reshape((-1, 2) if name == "edges" else -1) for name, values in columns.items()}


def _element(symbol: object) -> int:
    """The atomic number, 0 for what is no element: the record is broken, not the file."""
    try:
        number, charge = parse_label(str(symbol))
    except UserError:
        return 0
    return 0 if charge else number


def _whole(value: object, path: Path, what: str) -> int:
    if type(value) is not int or abs(value) > 1 << 31:
        raise UserError(f"{path}: expected an integer as {what}, got {value!r}"[:300])
    return value
