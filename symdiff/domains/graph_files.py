"""Files of graphs: .graphml, and flat arrays in .npz or .safetensors."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.domains.arrays import Record
from symdiff.errors import UserError
from symdiff.storage.arrays import read_arrays, write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending, read_text

FORMATS = (".graphml", ".npz", ".safetensors")
_MAX_XML = 256 << 20


def read_graphml(path: str | Path) -> list:
    """The networkx graphs of a .graphml file. Raises UserError; files that declare entities are refused."""
    import networkx
    from networkx.readwrite.graphml import GraphMLReader

    text = read_text(path, _MAX_XML)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UserError(f"{path}: GraphML with a document type or entities is not read")
    try:
        with warnings.catch_warnings():
            # a key without a type is one of strings, as the format says; what reads a label as a number checks it
            warnings.filterwarnings("ignore", "No key type", UserWarning)
            return list(GraphMLReader()(string=text))
    except (SyntaxError, networkx.NetworkXError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not readable as GraphML ({str(error).splitlines()[0] if str(error) else 'damaged'})") from error


def read_columns(
    path: str | Path, nodes: Sequence[str] = ("node_label",), edges: Sequence[str] = ("edge_label",)
) -> dict[str, np.ndarray]:
    """The arrays of an edge-list file: ``num_nodes`` (G,), ``num_edges`` (G,), ``edges`` (E, 2) and what else it has.

    The file has ``num_nodes``, ``edge_ptr`` (G + 1,) and ``edges`` (E, 2), and perhaps integers for all ``nodes`` (sum n,), for all
    ``edges`` (E,) and ``split`` (G,). Raises UserError; nothing is unpickled, sizes are checked before arrays are made.
    """
    ending(path, FORMATS[1:])
    arrays = read_arrays(path)
    for name, kind in (("num_nodes", "iu"), ("edge_ptr", "iu"), ("edges", "iu")):
        if name not in arrays:
            raise UserError(f"{path}: the array {name!r} is missing")
        if arrays[name].dtype.kind not in kind:
            raise UserError(f"{path}: {name} needs integers, got {arrays[name].dtype}")
    sizes, stops = arrays["num_nodes"].astype(np.int64), arrays["edge_ptr"].astype(np.int64)
    shaped = sizes.ndim == 1 and stops.shape == (len(sizes) + 1,)
    if not shaped or stops[0] != 0 or (np.diff(stops) < 0).any() or (sizes < 0).any():
        raise UserError(f"{path}: num_nodes needs shape (G,) and edge_ptr (G + 1,), increasing from 0")
    lengths = {**dict.fromkeys(nodes, int(sizes.sum())), **dict.fromkeys(edges, int(stops[-1])), "split": len(sizes)}
    if "element" in arrays and "element" not in lengths:
        raise UserError(f"{path}: holds molecules (it has the array 'element'), expected plain graphs; molecules come as .smi, .csv or .sdf")
    if arrays["edges"].shape != (stops[-1], 2):
        raise UserError(f"{path}: edges needs shape {(int(stops[-1]), 2)}, got {arrays['edges'].shape}")
    for name, length in lengths.items():
        if name in arrays and (arrays[name].shape != (length,) or arrays[name].dtype.kind not in "iu"):
            raise UserError(f"{path}: {name} needs integers of shape {(length,)}, got {arrays[name].dtype} {arrays[name].shape}")
    known = {name: array for name, array in arrays.items() if name in lengths or name == "edges"}
    return {"num_nodes": sizes, "num_edges": np.diff(stops), **known}


def records(columns: Mapping[str, np.ndarray], domain) -> Iterator[Record | UserError]:
    """For every graph of ``read_columns`` its record, or the UserError that says why it does not fit ``domain``."""
    node = edge = 0
    for size, count in zip(columns["num_nodes"].tolist(), columns["num_edges"].tolist(), strict=True):
        nodes, edges = slice(node, node + size), slice(edge, edge + count)
        node, edge = node + size, edge + count
        try:
            if size > domain.max_nodes:
                raise UserError(f"more than {domain.max_nodes} nodes")
            labels = columns["node_label"][nodes] if "node_label" in columns else np.zeros(size, np.int64)
            kinds = columns["edge_label"][edges] if "edge_label" in columns else np.ones(count, np.int64)
            yield domain.record(labels.astype(np.int64), columns["edges"][edges], kinds.astype(np.int64))
        except UserError as error:
            yield error


def write(packed: Mapping[str, np.ndarray], graphs: Sequence, spec: Mapping, path: str | Path) -> None:
    """Write graphs: ``packed`` as arrays, or ``graphs`` (networkx) as GraphML."""
    if ending(path, FORMATS) == ".graphml":
        write_graphml(graphs, path)
        return
    labels = {}
    if spec["node_classes"] > 1:
        labels["node_label"] = packed["node"]
    if spec["edge_classes"] > 2:
        labels["edge_label"] = packed["edge"]
    about = {"domain": json.dumps(dict(spec))}
    write_columns(packed["num_nodes"], packed["num_edges"], packed["edges"], labels, path, about)


def write_columns(
    num_nodes: Sequence[int],
    num_edges: Sequence[int],
    edges: np.ndarray,
    labels: Mapping[str, np.ndarray],
    path: str | Path,
    about: Mapping[str, str] | None = None,
) -> None:
    """Write what ``read_columns`` reads, as .npz or .safetensors; ``about`` goes into the latter's header."""
    arrays = {
        "num_nodes": np.array(num_nodes, np.int32),
        "edge_ptr": np.concatenate([[0], np.cumsum(num_edges)]).astype(np.int64),
        "edges": edges.astype(np.int32),
        **labels,
    }
    if ending(path, FORMATS[1:]) == ".npz":
        write_npz(path, arrays)
    else:
        from safetensors.numpy import save

        write_file(path, save(arrays, None if about is None else dict(about)))


def write_graphml(graphs: Sequence, path: str | Path) -> None:
    """Write networkx graphs as one GraphML document."""
    from networkx.readwrite.graphml import GraphMLWriter

    writer = GraphMLWriter(encoding="utf-8", prettyprint=True)
    for graph in graphs:
        writer.add_graph_element(graph)
        writer.attributes.clear()  # or networkx writes those of all graphs so far once more
    buffer = io.BytesIO()
    writer.dump(buffer)
    write_file(path, buffer.getvalue())
