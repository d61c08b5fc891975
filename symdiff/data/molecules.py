"""SMILES or mol blocks -> a data set of molecular graphs whose atoms are the vocabulary of the data."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from symdiff.chemistry.limits import MAX_ATOMS
from symdiff.data.columns import PropertyColumns, read_attributes
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings, imports
from symdiff.data.parsing import Parsed, Progress, parse
from symdiff.domains.molecule import MolecularGraph
from symdiff.domains.molecule_files import read_records
from symdiff.errors import UserError
from symdiff.state import Schema
from symdiff.storage.records import Record
from symdiff.storage.splits import read_split


def molecules(
    rows: Iterable[Record | str],
    split: np.ndarray | None,
    meta: Mapping,
    hydrogens: bool = False,
    max_nodes: int = 512,
    workers: int | None = None,
    progress: Progress = None,
    columns: PropertyColumns | None = None,
) -> Dataset:
    """Make a data set in memory; broken records are left out and counted by the kind of their reason.

    The atoms of the domain are those of the data, the most frequent first. Duplicates stay and are counted.

    Parameters
    ----------
    rows : iterable of Record or str
        The records of files; a string is a SMILES.
    split : numpy.ndarray, optional
        (M,) of 0, 1, 2. Without, that of the records where they name one, else one by content (``split_by_content``).
    meta : mapping
        What the data set says of itself: ``name``, ``source``.
    hydrogens : bool
        Whether hydrogens are nodes.
    max_nodes : int
        Larger molecules are left out.
    workers : int, optional
        Processes that parse.
    progress : callable, optional
        Is told what was done.
    columns : PropertyColumns, optional
        The properties of all records, once these are read.

    Returns
    -------
    Dataset
        ``meta`` has ``left_out``, ``examples`` (the first record of each kind of reason), ``notes`` and ``duplicates``.

    Raises
    ------
    UserError
        Where there is no molecule, or a split of an unknown name.
    """
    parsed = parse(rows, hydrogens, max_nodes, workers=workers, progress=progress)
    if not len(parsed.element):
        raise no_molecule(meta, parsed.report(), parsed.examples())
    atoms, labels = _label_atoms(parsed)
    domain = MolecularGraph(atoms, max_nodes)
    arrays = {
        "num_nodes": parsed.num_nodes[parsed.valid],
        "num_edges": parsed.num_edges[parsed.valid],
        "edges": parsed.edges,
        "atom": labels,
        "bond": parsed.order,
    }
    marks = digests(arrays, domain.schema)
    if split is None:
        split = _read_splits(parsed)
    arrays["split"] = split_by_content(marks) if split is None else np.asarray(split, np.uint8)[parsed.valid]
    report = {
        "rows": len(parsed.reason),
        "left_out": {**meta.get("left_out", {}), **parsed.report()},
        "duplicates": len(marks) - len(set(marks)),
        **describe_records(parsed.examples(), parsed.note),
    }
    if columns is not None and columns.asked:
        domain, arrays, missing = columns.join(domain, arrays, parsed.valid)
        report |= missing
    return Dataset.from_arrays(domain, arrays, {"order": "smiles", **meta, **report})


def _label_atoms(parsed: Parsed) -> tuple[list[str], np.ndarray]:
    """Name the kinds of atoms, the most frequent first, and number every atom by its kind."""
    from symdiff.chemistry import kekule

    kinds, places, counts = np.unique(
        parsed.element.astype(np.int32) * 64 + parsed.charge + 32, return_inverse=True, return_counts=True
    )
    frequent = np.argsort(-counts, kind="stable")
    rank = np.empty(len(kinds), np.uint8)
    rank[frequent] = np.arange(len(kinds))
    return [kekule.label(int(kinds[k]) // 64, int(kinds[k]) % 64 - 32) for k in frequent], rank[places]


def _read_splits(parsed: Parsed) -> np.ndarray | None:
    """The splits that records name, (M,) uint8; None where none does."""
    if not any(parsed.split):
        return None
    named = zip(parsed.split, parsed.valid, strict=True)
    return np.array([read_split(name) if sound else 0 for name, sound in named], np.uint8)


@imports("molecule-graph", takes=("column", "split_column", "hydrogens", "atoms"))
def import_molecules(paths: Sequence[Path], meta: Mapping, settings: ImportSettings) -> Dataset:
    """Make a data set of files of molecules.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    meta : mapping
        What the data set says of itself.
    settings : ImportSettings
        All but ``coordinates`` and ``bonds``.

    Returns
    -------
    Dataset
        As ``molecules`` returns it.
    """
    most, columns = max(MAX_ATOMS, settings.max_nodes), PropertyColumns(settings.properties)

    def records() -> Iterator[Record]:
        for path in paths:
            values = read_attributes(path, columns.columns) if columns.asked else None
            own = () if values is not None else columns.columns
            read = read_records(path, settings.column, settings.split_column, most, settings.atoms, own)
            for record in read:
                if values is not None:
                    record = replace(record, values=values[record.number - 1])
                yield columns.take(record)

    return molecules(
        records(), None, meta, settings.hydrogens, settings.max_nodes, settings.workers, settings.progress, columns
    )


def describe_records(examples: Mapping[str, str], notes: Iterable[str]) -> dict:
    """Describe the records of a data set, beyond how many were left out.

    Parameters
    ----------
    examples : mapping of str to str
        The first record of each kind of reason to leave one out.
    notes : iterable of str
        What a reader has to say of each record; empty for nothing.

    Returns
    -------
    dict
        ``examples`` and ``notes``, without those that are empty.
    """
    notes = list(notes)
    counts = Counter(note for note in notes if note)
    about = {
        "examples": dict(examples),
        "notes": [f"{count:,} of {len(notes):,} records: {note}" for note, count in counts.items()],
    }
    return {name: value for name, value in about.items() if value}


def no_molecule(meta: Mapping, left_out: Mapping[str, int], examples: Mapping[str, str]) -> UserError:
    """Make the error over records none of which is a molecule, with the most frequent reason.

    Parameters
    ----------
    meta : mapping
        What the data set says of itself: ``name``.
    left_out : mapping of str to int
        Counts by the kind of the reason, the most frequent first.
    examples : mapping of str to str
        The first record of each kind.

    Returns
    -------
    UserError
        To be raised.
    """
    kind = next(iter(left_out), "")
    first = f" ({left_out[kind]} {kind}: {examples.get(kind, kind)})" if kind else ""
    return UserError(f"{meta.get('name', 'data set')}: no molecule could be read{first}")


def digests(arrays: Mapping[str, np.ndarray], schema: Schema) -> list[bytes]:
    """Hash every structure's arrays: equal for structures that are stored identically.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Flat arrays of M structures.
    schema : Schema
        The fields that count, on nodes and pairs.

    Returns
    -------
    list of bytes
        16 bytes for each structure.
    """
    nodes = [arrays[name].astype("<i4") for name, field in schema.items() if field.axes == "node"]
    pairs = [arrays["edges"].astype("<i4"), *(arrays[n].astype("<i4") for n, f in schema.items() if f.axes == "pair")]
    hashes, a, e = [], 0, 0
    stops = zip(np.cumsum(arrays["num_nodes"]).tolist(), np.cumsum(arrays["num_edges"]).tolist(), strict=True)
    for b, f in stops:
        content = b"|".join(
            [*(column[a:b].tobytes() for column in nodes), *(column[e:f].tobytes() for column in pairs)]
        )
        hashes.append(hashlib.blake2b(content, digest_size=16).digest())
        a, e = b, f
    return hashes


def split_by_content(marks: Sequence[bytes], valid: float = 0.1, test: float = 0.1) -> np.ndarray:
    """Choose the split of every structure by a hash of its content, so that equal structures share a split.

    Parameters
    ----------
    marks : sequence of bytes
        At least 6 bytes for each of M structures, as ``digests`` returns them.
    valid, test : float
        The expected shares of the two splits.

    Returns
    -------
    ndarray
        (M,) uint8: 0 for train, 1 for valid, 2 for test.
    """
    draw = np.array([int.from_bytes(mark[:6], "little") for mark in marks], np.float64) / 2**48
    return np.where(draw < test, 2, np.where(draw < test + valid, 1, 0)).astype(np.uint8)


def split_rows(rows: Sequence[str], valid: float = 0.1, test: float = 0.1) -> np.ndarray:
    """Choose the split of every row by a hash of its text.

    Parameters
    ----------
    rows : sequence of str
        M rows.
    valid, test : float
        The expected shares of the two splits.

    Returns
    -------
    ndarray
        (M,) uint8: 0 for train, 1 for valid, 2 for test.
    """
    return split_by_content([hashlib.blake2b(row.encode(), digest_size=16).digest() for row in rows], valid, test)
