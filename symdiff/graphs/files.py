"""Files of graphs: what they hold tells the format, and the format its reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from symdiff.errors import UserError
from symdiff.graphs import adjacency, columns
from symdiff.graphs.dumps import begins_dump, read_dump
from symdiff.graphs.edge_list import MAX_NODES
from symdiff.graphs.graph_set import GraphSet
from symdiff.graphs.graphml import read_graphml
from symdiff.storage.arrays import ENDINGS as ARRAYS
from symdiff.storage.arrays import read_arrays, read_headers, write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending, lines, open_text

ENDINGS = (".graphml", *ARRAYS)
WRITE = (".graphml", ".npz", ".safetensors")
_HEAD = 20  # lines
_LINE = 4_096  # characters of one of them

Format = Literal["graphml", "columns", "matrices", "dump"]


def recognize(path: str | Path) -> Format | None:
    """Tell the format of a file of graphs by what it holds.

    Parameters
    ----------
    path : str or Path
        A file.

    Returns
    -------
    str or None
        "graphml", "columns" (edge lists as arrays), "matrices" (adjacency matrices as arrays), "dump" (DiGress's text);
        None where the file holds something else.

    Raises
    ------
    UserError
        Where the file cannot be read at all.
    """
    name = Path(path).name.lower()
    if name.endswith(ARRAYS):
        headers = read_headers(path)
        if adjacency.holds_matrices({name: header.shape for name, header in headers.items()}):
            return "matrices"
        return "columns" if set(columns.NEEDED) & set(headers) else None
    if name.removesuffix(".gz").endswith(".graphml"):
        return "graphml"
    with open_text(path) as stream:
        head = [line for line, _ in islice(lines(stream, _LINE), _HEAD)]
    if begins_dump(head):
        return "dump"
    return "graphml" if any("<graphml" in line for line in head) else None


def read_graphs(path: str | Path, max_nodes: int = MAX_NODES) -> GraphSet:
    """Read the graphs of a file, whatever its format.

    Parameters
    ----------
    path : str or Path
        GraphML, DiGress's text, or arrays (.npz, .npy, .safetensors) of edge lists or adjacency matrices.
    max_nodes : int
        Larger graphs are broken records.

    Returns
    -------
    GraphSet
        One record a graph, broken ones with a reason.

    Raises
    ------
    UserError
        Where the file cannot be read as one of graphs.
    """
    place = Path(path).name
    match recognize(path):
        case "graphml":
            return read_graphml(path, max_nodes)
        case "dump":
            return read_dump(path, max_nodes)
        case "columns":
            arrays = read_arrays(path)
            if "element" in arrays:
                raise UserError(f"{path}: holds molecules (it has the array 'element'), expected plain graphs")
            return columns.read_columns(arrays, place, max_nodes)
        case "matrices":
            return adjacency.read_matrices(read_arrays(path), place, max_nodes)
    if Path(path).name.lower().endswith(ARRAYS):
        got = ", ".join(read_headers(path))[:100] or "none"
        raise UserError(
            f"{path}: expected the arrays {', '.join(columns.NEEDED)}, or adjacency matrices such as arr_0, got {got}"
        )
    raise UserError(f"{path}: expected graphs as GraphML, arrays ({', '.join(ARRAYS)}) or DiGress's text")


def write_columns(
    num_nodes: Sequence[int] | np.ndarray,
    num_edges: Sequence[int] | np.ndarray,
    edges: np.ndarray,
    labels: Mapping[str, np.ndarray],
    path: str | Path,
    about: Mapping[str, str] | None = None,
) -> None:
    """Write graphs as flat arrays, which ``columns.read_columns`` reads.

    Parameters
    ----------
    num_nodes : sequence of int, or ndarray, (G,)
        The number of nodes of every graph.
    num_edges : sequence of int, or ndarray, (G,)
        The number of edges of every graph.
    edges : ndarray, (E, 2)
        Pairs of node numbers within the graph, graph after graph.
    labels : mapping of str to ndarray
        Further arrays, such as ``node_label`` and ``edge_label``.
    path : str or Path
        The file, .npz or .safetensors.
    about : mapping of str to str, optional
        Goes into the header of a .safetensors file.
    """
    arrays = {
        "num_nodes": np.array(num_nodes, np.int32),
        "edge_ptr": np.concatenate([[0], np.cumsum(num_edges)]).astype(np.int64),
        "edges": edges.astype(np.int32),
        **labels,
    }
    if ending(path, WRITE[1:]) == ".npz":
        write_npz(path, arrays)
    else:
        from safetensors.numpy import save

        write_file(path, save(arrays, None if about is None else dict(about)))
