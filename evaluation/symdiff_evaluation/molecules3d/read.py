"""Files of molecules in 3D: .sdf, .xyz and .extxyz (gzipped or not) record by record, and flat arrays. Sizes are checked before parsing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np
from rdkit import Chem, rdBase

from symdiff.errors import UserError, nearest
from symdiff_evaluation.core.arrays import read_arrays
from symdiff_evaluation.core.records import MAX_ATOMS, Record
from symdiff_evaluation.molecules.chemistry import Broken, written
from symdiff_evaluation.molecules.read import bounded, opened
from symdiff_evaluation.molecules.read import read as read_text
from symdiff_evaluation.molecules3d.elements import number_of
from symdiff_evaluation.molecules3d.samples import Geometries, collect, from_arrays

ENDINGS = (".xyz", ".extxyz", ".sdf", ".npz", ".safetensors")
_LONGEST = 4_000  # characters of one line
_PROPERTIES = re.compile(r'\bproperties=("[^"]*"|\S+)', re.IGNORECASE)
_CHARGE = re.compile(r"\b(?:total_)?charge=([+-]?\d{1,3})(?:\s|$)", re.IGNORECASE)

Atoms = tuple[np.ndarray, np.ndarray]  # (n,) uint8, (n, 3) float64 in angstrom


def read(path: str | Path) -> Geometries:
    """The molecules of a file, in angstrom. Raises ``UserError`` for a file that is missing or of another kind.

    .npz, .safetensors: ``offsets`` (count + 1,), ``z`` and ``pos`` as in ``from_arrays``, perhaps ``charge`` (atoms,); other arrays are passed over.

    .xyz: a line with the number of atoms, a comment, a line an atom: symbol (or atomic number), x, y, z. .extxyz: the same with
    ``Properties=`` in the comment naming the columns, and perhaps ``charge=``. A broken record keeps its place and a reason; reading
    goes on at the next line that holds nothing but a number.
    """
    path = Path(path)
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith(ENDINGS):
        raise UserError(f"{path}: expected molecules in 3D, got the ending {path.suffix!r}{nearest(path.suffix, ENDINGS)}")
    if name.endswith((".npz", ".safetensors")):
        return from_columns(read_arrays(path), path.name)
    if name.endswith(".sdf"):
        rows = [_from_block(record) for record in read_text(path)]
    else:
        if not path.is_file():
            raise UserError(f"{path}: no such file")
        try:
            with opened(path) as stream:
                rows = list(_xyz(path.name, stream))
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: cannot be read: {error}") from error
    return collect([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def from_columns(arrays: Mapping[str, np.ndarray], place: str) -> Geometries:
    """The molecules of the arrays of a file. Raises ``UserError``."""
    if missing := [name for name in ("offsets", "z", "pos") if name not in arrays]:
        raise UserError(f"{place}: expected the arrays offsets, z and pos, lacks {', '.join(missing)}, got {', '.join(arrays)[:100] or 'none'}")
    found = from_arrays(arrays["offsets"], arrays["z"], arrays["pos"], place)
    if "charge" not in arrays:
        return found
    charge = arrays["charge"]
    if charge.shape != arrays["z"].shape or charge.dtype.kind not in "iu":
        raise UserError(f"{place}: charge: expected whole numbers {arrays['z'].shape}, got {charge.dtype} {charge.shape}")
    sums = np.concatenate([[0], np.cumsum(charge, dtype=np.int64)])[arrays["offsets"]]
    return replace(found, charges=np.diff(sums))


def _from_block(record: Record) -> tuple[Record, Atoms | None, int]:
    with rdBase.BlockLogs():
        try:
            mol = written(record)
        except Broken as error:
            return _refused(record, str(error)), None, 0
    positions = mol.GetConformer().GetPositions()
    if len(positions) > 1 and not mol.GetConformer().Is3D() and not positions[:, 2].any():
        return _refused(record, "flat: the block is a drawing, it has no third coordinate"), None, 0
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], np.uint8)
    return record, (numbers, positions), Chem.GetFormalCharge(mol)


def _xyz(file: str, stream: TextIO) -> Iterator[tuple[Record, Atoms | None, int]]:
    lines = bounded(stream, _LONGEST)
    number, line = 0, _next(lines)
    while line is not None:
        if not line.strip():
            line = _next(lines)
            continue
        number += 1
        text = line.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            yield _refused(Record(file, number, text[:200], "geometry"), f"syntax: expected the number of atoms, got {text[:40]!r}"), None, 0
            line = _skip(lines)
            continue
        count = int(text)
        if count > MAX_ATOMS:
            yield _refused(Record(file, number, text, "geometry"), f"too large: {count} atoms, at most {MAX_ATOMS} are read"), None, 0
            line = _skip(lines)
            continue
        comment = _next(lines) or ""
        record = Record(file, number, comment.strip()[:200], "geometry")
        rows, line = [], _next(lines)
        while line is not None and len(rows) < count and not _is_count(line):
            rows.append(line)
            line = _next(lines)
        try:
            if len(rows) < count:
                raise Broken(f"syntax: expected {count} atoms, got {len(rows)}")
            charge = _CHARGE.search(comment)
            yield record, _parsed(rows, _columns(comment)), int(charge[1]) if charge else 0
        except Broken as error:
            yield _refused(record, str(error)), None, 0
            line = line if line is None or _is_count(line) or not line.strip() else _skip(lines)


def _parsed(rows: list[str], columns: tuple[int, int]) -> Atoms:
    species, first = columns
    numbers, positions = np.zeros(len(rows), np.uint8), np.zeros((len(rows), 3))
    for k, row in enumerate(rows):
        words = row.split()
        if len(words) < max(species + 1, first + 3):
            raise Broken(f"syntax: atom {k + 1}: expected an element and three coordinates, got {row.strip()[:60]!r}")
        number = number_of(words[species])
        if number is None:
            raise Broken(f"element: atom {k + 1} is {words[species][:20]!r}")
        numbers[k] = number
        try:
            positions[k] = [float(word) for word in words[first : first + 3]]
        except ValueError:
            raise Broken(f"syntax: atom {k + 1}: expected three coordinates, got {' '.join(words[first : first + 3])[:60]!r}") from None
    return numbers, positions


def _columns(comment: str) -> tuple[int, int]:
    """Where an atom's element and its first coordinate stand in its line. Raises ``Broken``."""
    found = _PROPERTIES.search(comment)
    if not found:
        return 0, 1
    parts = found[1].strip('"').split(":")
    place, places = 0, {}
    for name, _, width in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        if not width.isdigit() or len(width) > 4:
            raise Broken(f"syntax: Properties: expected the width of {name!r}, got {width[:20]!r}")
        places[name.lower()] = (place, int(width))
        place += int(width)
    species, first = places.get("species", places.get("z")), places.get("pos")
    if species is None or first is None or first[1] != 3:
        raise Broken(f"syntax: Properties: expected species and pos:R:3, got {found[1][:60]!r}")
    return species[0], first[0]


def _next(lines: Iterator[tuple[str, bool]]) -> str | None:
    return next(lines, (None, False))[0]


def _is_count(line: str) -> bool:
    return line.strip().isdigit()


def _skip(lines: Iterator[tuple[str, bool]]) -> str | None:
    """The next line that may begin a record: behind a broken one nothing else can be trusted."""
    line = _next(lines)
    while line is not None and not _is_count(line):
        line = _next(lines)
    return line


def _refused(record: Record, reason: str) -> Record:
    return Record(record.file, record.number, record.text, record.form, reason)
