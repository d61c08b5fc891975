"""Point clouds in .npz files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from symdiff.domains.arrays import Arrays, pack, unpad
from symdiff.errors import UserError
from symdiff.state import Schema, State
from symdiff.storage.arrays import read_arrays, write_npz
from symdiff.storage.files import ending
from symdiff.storage.growing import Growing, split

POSE = "pose"


def write(objs: Iterable[Mapping], path: str | Path, schema: Schema) -> None:
    """Write ``num_nodes`` (M,), and the values of every field that all objects have, one object behind the other.

    Parameters
    ----------
    objs : iterable of mapping
        Arrays by field names.
    path : str or Path
        A .npz file, which is replaced.
    schema : Schema
        The fields that may be written.

    Raises
    ------
    UserError
        Where the file cannot be written.
    """
    ending(path, (".npz",))
    with Growing(Path(path).parent) as arrays:
        present, names = dict(schema), list(pack([], schema))
        for portion in chain([[]], split(objs)):
            present = {name: field for name, field in present.items() if all(name in obj for obj in portion)}
            for name, rows in pack([{"edges": np.zeros((0, 2), np.int16), **obj} for obj in portion], present).items():
                arrays.append(name, rows)
        write_npz(path, {name: arrays[name] for name in names if name in present or name not in schema})


def read(path: str | Path, schema: Schema) -> list[dict[str, np.ndarray]]:
    """Read the objects of a file as ``write`` writes it.

    ``num_edges`` and ``edges`` are expected only where pairs have labels.

    Parameters
    ----------
    path : str or Path
        A .npz file.
    schema : Schema
        The fields that are read; a pose may be missing.

    Returns
    -------
    list of dict of str to ndarray
        One mapping for each object; values are not checked.

    Raises
    ------
    UserError
        For a file that cannot be read, lacks an array or has one of another length.
    """
    ending(path, (".npz",))
    arrays = read_arrays(path)
    pairs = any(field.axes == "pair" for field in schema.values())
    needed = ["num_nodes", *(["num_edges", "edges"] if pairs else []), *(name for name in schema if name != POSE)]
    for name in needed:
        if name not in arrays:
            raise UserError(f"{path}: the array {name!r} is missing")
    counts = {"node": _counts(path, arrays, "num_nodes")}
    rows = len(counts["node"])
    counts["pair"] = _counts(path, arrays, "num_edges") if pairs else np.zeros(rows, np.int64)
    counts["whole"] = np.ones(rows, np.int64)
    parts: dict[str, list] = {}
    columns = {name: field.axes for name, field in schema.items() if name in arrays} | (
        {"edges": "pair"} if pairs else {}
    )
    for name, axes in columns.items():
        value = arrays[name]
        if value.ndim < 1 or len(value) != counts[axes].sum() or len(counts[axes]) != rows:
            raise UserError(f"{path}: {name}: expected {int(counts[axes].sum())} rows, got shape {value.shape}")
        split = np.split(value, np.cumsum(counts[axes])[:-1]) if rows else []
        parts[name] = [one[0] for one in split] if axes == "whole" else split
    return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]


def together(records: Sequence[Arrays], schema: Schema) -> State:
    """Make one padded batch of records.

    Parameters
    ----------
    records : sequence of Arrays
        As ``PointCodec.record`` returns them.
    schema : Schema
        Their fields.

    Returns
    -------
    State
        One structure for each record.
    """
    return unpad(pack(records, schema), schema, np.arange(len(records)))


def _counts(path: str | Path, arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    counts = arrays[name]
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or (len(counts) and counts.min() < 0):
        raise UserError(f"{path}: {name}: expected one count a cloud, got {counts.dtype} {counts.shape}")
    return counts.astype(np.int64)
