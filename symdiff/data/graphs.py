"""Graphs in edge-list files -> a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.molecules import digests, split_by_content
from symdiff.data.sources import local, origin
from symdiff.domains.arrays import Record, pack
from symdiff.domains.graph import Graph
from symdiff.domains.graph_files import read_columns, records
from symdiff.errors import UserError

SPECTRE = "SPECTRE: Martinkus, Loukas, Perraudin, Wattenhofer, ICML 2022"
BENCHMARKS = {
    "planar": ("planar.npz", SPECTRE),
    "sbm": ("sbm.npz", SPECTRE),
    "tree": ("tree.npz", "Bergmeister, Martinkus, Perraudin, Wattenhofer, ICLR 2024"),
    "lobster": ("lobster.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
    "community_small": ("community_small.npz", "GraphRNN: You et al., ICML 2018; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "ego_small": ("ego_small.npz", "Citeseer ego graphs; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "enzymes": ("ENZYMES.npz", "BRENDA proteins; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "grid": ("grid.npz", "GraphRNN: You et al., ICML 2018; as in GDSS: Jo, Lee, Hwang, ICML 2022"),
    "spectre_community": ("spectre_community_12_21_100.npz", SPECTRE),
    "high_tls": ("high_tls_200.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
    "low_tls": ("low_tls_200.npz", "ConStruct: Madeira, Vignac, Thanou, Frossard, NeurIPS 2024"),
}


def benchmark(name: str) -> Dataset:
    """A graph benchmark; node labels are kept for the cell graphs (``high_tls``, ``low_tls``) alone.

    Where the file has no split: the first fifth of the graphs to test, as GDSS does, the next tenth to validate.
    """
    file, title = BENCHMARKS[name]
    path = local("graphs", file)
    columns = read_columns(path)
    if not name.endswith("_tls"):
        columns.pop("node_label", None)
    count = len(columns["num_nodes"])
    split = columns.get("split")
    if split is None:
        place = np.arange(count)
        split = np.where(place < count // 5, 2, np.where(place < 3 * count // 10, 1, 0))
    domain = domain_of(columns)
    return graphs(records(columns, domain), split, {"name": name, "source": origin(title, [path])}, domain)


def domain_of(columns: Mapping[str, np.ndarray]) -> Graph:
    """The domain that holds all labels of an edge-list file."""
    node, edge = columns.get("node_label"), columns.get("edge_label")
    if any(labels is not None and len(labels) and labels.max() > 255 for labels in (node, edge)):
        raise UserError("labels: at most 256 kinds are read")
    return Graph(
        1 if node is None or not len(node) else max(1, int(node.max()) + 1),
        2 if edge is None or not len(edge) else max(2, int(edge.max()) + 1),
    )


def graphs(found: Iterable[Record | UserError], split: np.ndarray | None, meta: Mapping, domain: Graph) -> Dataset:
    """A data set in memory; a UserError among ``found`` is a graph that is left out, counted by reason."""
    found = list(found)
    valid = np.array([not isinstance(record, UserError) for record in found], bool)
    arrays = pack([record for record in found if not isinstance(record, UserError)], domain.schema)
    marks = digests(arrays, domain.schema)
    arrays["split"] = split_by_content(marks) if split is None else np.asarray(split, np.uint8)[valid]
    reasons = Counter(str(record) for record in found if isinstance(record, UserError))
    report = {
        "rows": len(found),
        "left_out": {**meta.get("left_out", {}), **dict(reasons.most_common())},
        "duplicates": len(marks) - len(set(marks)),
    }
    return Dataset.from_arrays(domain, arrays, {"order": "source", **meta, **report})
