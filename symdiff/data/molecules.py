"""SMILES or mol blocks -> a data set of molecular graphs whose atoms are the vocabulary of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Parsed, parse
from symdiff.domains.molecule import MolecularGraph


def molecules(
    rows: Sequence[str],
    split: np.ndarray | None,
    meta: Mapping,
    form: str = "smiles",
    hydrogens: bool = False,
    max_nodes: int = 512,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Dataset:
    """A data set in memory; broken rows are left out and counted by reason in ``meta["left_out"]``.

    ``split``: (M,) of 0, 1, 2, or None for one by content (``split_by_content``). The atoms of the domain are those of
    the data, the most frequent first. Duplicates stay, ``meta["duplicates"]`` counts them.
    """
    from symdiff.domains import kekule

    parsed = parse(rows, form, hydrogens, max_nodes, workers=workers, progress=progress)
    valid = parsed.valid
    codes, labels, counts = np.unique(
        parsed.element.astype(np.int32) * 64 + parsed.charge + 32, return_inverse=True, return_counts=True
    )
    frequent = np.argsort(-counts, kind="stable")
    atoms = [kekule.label(codes[k] // 64, codes[k] % 64 - 32) for k in frequent]
    rank = np.empty(len(codes), np.uint8)
    rank[frequent] = np.arange(len(codes))
    arrays = {
        "num_nodes": parsed.num_nodes[valid],
        "num_edges": parsed.num_edges[valid],
        "edges": parsed.edges,
        "atom": rank[labels] if len(codes) else np.zeros(0, np.uint8),
        "bond": parsed.order,
    }
    digests = _digests(arrays)
    arrays["split"] = split_by_content(digests) if split is None else np.asarray(split, np.uint8)[valid]
    report = {"rows": len(rows), "left_out": _left_out(meta, parsed), "duplicates": len(digests) - len(set(digests))}
    return Dataset.from_arrays(MolecularGraph(atoms or ["C"], max_nodes), arrays, {"order": "smiles", **meta, **report})


def _left_out(meta: Mapping, parsed: Parsed) -> dict[str, int]:
    return {**meta.get("left_out", {}), **parsed.report()}


def _digests(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    node_stops, edge_stops = np.cumsum(arrays["num_nodes"]), np.cumsum(arrays["num_edges"])
    nodes, edges, bonds = arrays["atom"].tobytes(), arrays["edges"].tobytes(), arrays["bond"].tobytes()
    width = arrays["edges"].itemsize * 2
    digests, a, e = [], 0, 0
    for b, f in zip(node_stops.tolist(), edge_stops.tolist(), strict=True):
        content = nodes[a:b] + b"|" + edges[e * width : f * width] + b"|" + bonds[e:f]
        digests.append(hashlib.blake2b(content, digest_size=16).digest())
        a, e = b, f
    return digests


def split_by_content(digests: Sequence[bytes], valid: float = 0.1, test: float = 0.1) -> np.ndarray:
    """0, 1 or 2 for every structure from a hash of its content: equal structures share a split. (M,) uint8."""
    draw = np.array([int.from_bytes(digest[:6], "little") for digest in digests], np.float64) / 2**48
    return np.where(draw < test, 2, np.where(draw < test + valid, 1, 0)).astype(np.uint8)
