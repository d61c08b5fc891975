"""SMILES or mol blocks -> a data set of molecular graphs whose atoms are the vocabulary of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress, parse
from symdiff.domains.molecule import MolecularGraph
from symdiff.errors import UserError
from symdiff.state import Schema


def molecules(
    rows: Sequence[str],
    split: np.ndarray | None,
    meta: Mapping,
    form: str = "smiles",
    hydrogens: bool = False,
    max_nodes: int = 512,
    workers: int | None = None,
    progress: Progress = None,
) -> Dataset:
    """A data set in memory; broken rows are left out and counted by reason in ``meta["left_out"]``.

    ``split``: (M,) of 0, 1, 2, or None for one by content (``split_by_content``). The atoms of the domain are those of
    the data, the most frequent first. Duplicates stay, ``meta["duplicates"]`` counts them.
    """
    from symdiff.chemistry import kekule

    parsed = parse(rows, form, hydrogens, max_nodes, workers=workers, progress=progress)
    valid = parsed.valid
    kinds, labels, counts = np.unique(
        parsed.element.astype(np.int32) * 64 + parsed.charge + 32, return_inverse=True, return_counts=True
    )
    if not len(kinds):
        raise UserError(f"{meta.get('name', 'data set')}: no molecule could be read")
    frequent = np.argsort(-counts, kind="stable")
    atoms = [kekule.label(kinds[k] // 64, kinds[k] % 64 - 32) for k in frequent]
    rank = np.empty(len(kinds), np.uint8)
    rank[frequent] = np.arange(len(kinds))
    domain = MolecularGraph(atoms, max_nodes)
    arrays = {
        "num_nodes": parsed.num_nodes[valid],
        "num_edges": parsed.num_edges[valid],
        "edges": parsed.edges,
        "atom": rank[labels],
        "bond": parsed.order,
    }
    marks = digests(arrays, domain.schema)
    arrays["split"] = split_by_content(marks) if split is None else np.asarray(split, np.uint8)[valid]
    report = {
        "rows": len(rows),
        "left_out": {**meta.get("left_out", {}), **parsed.report()},
        "duplicates": len(marks) - len(set(marks)),
    }
    return Dataset.from_arrays(domain, arrays, {"order": "smiles", **meta, **report})


def digests(arrays: Mapping[str, np.ndarray], schema: Schema) -> list[bytes]:
    """A 16-byte hash of every structure's arrays: equal for structures that are stored identically."""
    nodes = [arrays[name].astype("<i4") for name, field in schema.items() if field.axes == "node"]
    pairs = [arrays["edges"].astype("<i4"), *(arrays[n].astype("<i4") for n, f in schema.items() if f.axes == "pair")]
    found, a, e = [], 0, 0
    stops = zip(np.cumsum(arrays["num_nodes"]).tolist(), np.cumsum(arrays["num_edges"]).tolist(), strict=True)
    for b, f in stops:
        content = b"|".join([*(column[a:b].tobytes() for column in nodes), *(column[e:f].tobytes() for column in pairs)])
        found.append(hashlib.blake2b(content, digest_size=16).digest())
        a, e = b, f
    return found


def split_by_content(marks: Sequence[bytes], valid: float = 0.1, test: float = 0.1) -> np.ndarray:
    """0, 1 or 2 for every structure from a hash of its content: equal structures share a split. (M,) uint8."""
    draw = np.array([int.from_bytes(mark[:6], "little") for mark in marks], np.float64) / 2**48
    return np.where(draw < test, 2, np.where(draw < test + valid, 1, 0)).astype(np.uint8)


def split_rows(rows: Sequence[str], valid: float = 0.1, test: float = 0.1) -> np.ndarray:
    """0, 1 or 2 for every row from a hash of its text, (M,) uint8."""
    return split_by_content([hashlib.blake2b(row.encode(), digest_size=16).digest() for row in rows], valid, test)
