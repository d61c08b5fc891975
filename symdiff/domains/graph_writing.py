"""Records of graphs -> files: arrays, or GraphML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from symdiff.domains.arrays import Arrays, pack
from symdiff.graphs.files import WRITE, write_columns
from symdiff.graphs.graphml import write_graphml
from symdiff.storage.files import ending
from symdiff.storage.growing import Growing, split

if TYPE_CHECKING:
    from symdiff.domains.graph import Graph


def write_graphs(records: Iterable[Arrays], domain: Graph, path: str | Path) -> None:
    """Write records of graphs, each before more than a few others are asked for.

    Parameters
    ----------
    records : iterable of Arrays
        Graphs of the domain.
    domain : Graph
        What their labels are.
    path : str or Path
        .graphml, .npz or .safetensors.

    Raises
    ------
    UserError
        Where the file cannot be written, and for an ending that is not known.
    """
    if ending(path, WRITE) == ".graphml":
        write_graphml(map(domain.codec.graph_of, records), path)
        return
    with Growing(Path(path).parent) as arrays:
        for portion in chain([[]], split(records)):  # of no graphs, empty arrays
            for name, rows in pack(portion, domain.schema).items():
                arrays.append(name, rows)
        labels = {}
        if domain.node_classes > 1:
            labels["node_label"] = arrays["node"]
        if domain.edge_classes > 2:
            labels["edge_label"] = arrays["edge"]
        about = {"domain": json.dumps(dict(domain.spec))}
        write_columns(arrays["num_nodes"], arrays["num_edges"], arrays["edges"], labels, path, about)
