"""Files of samples, read record by record: sizes are checked before anything is parsed, and a broken record stays one."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from symdiff.errors import UserError, nearest
from symdiff_evaluation.core.records import MAX_ATOMS, MAX_BLOCK, MAX_CHARACTERS, Record

ENDINGS = (".smi", ".smiles", ".txt", ".csv", ".sdf")
_SKIPPED = 1 << 16  # characters of an endless line that are passed over at once


def read(path: str | Path) -> Iterator[Record]:
    """The records of a .smi, .txt, .csv or .sdf file, optionally gzipped (.gz).

    .smi and .txt: one record a line, the SMILES up to the first white space; an empty line is an empty sample; a first line
    "smiles" is a header. .csv: with a header, the SMILES in the column named ``smiles`` (or the only one that starts so); a column ``input``: SMILES
    of what each was made from.
    .sdf: one record up to each ``$$$$``. Raises ``UserError`` for a file that is missing, of another kind, or no text.
    """
    path = Path(path)
    name = path.name.lower().removesuffix(".gz")
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), None)
    if ending is None:
        raise UserError(f"{path}: expected a file of SMILES or an SDF, got the ending {path.suffix!r}{nearest(path.suffix, ENDINGS)}")
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    reader = {".csv": _table, ".sdf": _blocks}.get(ending, _lines)
    try:
        with opened(path) as stream:
            yield from reader(path, stream)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The text of a file, gzipped (.gz) or not; bytes that are no UTF-8 are replaced."""
    # undecodable bytes become a character that no SMILES has: the record is broken, its neighbors are not
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline=None) as stream:
            yield stream
    else:
        with path.open("r", encoding="utf-8-sig", errors="replace", newline=None) as stream:
            yield stream


def bounded(stream: TextIO, limit: int) -> Iterator[tuple[str, bool]]:
    """Lines without their ends, cut at ``limit`` characters, and whether they were cut: never more in memory."""
    while line := stream.readline(limit + 2):
        cut = False
        while not line.endswith("\n") and (more := stream.readline(_SKIPPED)):
            cut, line = True, line[:limit] + ("\n" if more.endswith("\n") else "")
        line = line.rstrip("\r\n")
        yield line[:limit], cut or len(line) > limit


def _lines(path: Path, stream: TextIO) -> Iterator[Record]:
    number = 0
    for place, (line, cut) in enumerate(bounded(stream, MAX_CHARACTERS)):
        text = line.split(maxsplit=1)[0] if line.strip() else ""
        if place == 0 and text.lower() == "smiles":
            continue
        number += 1
        yield record_of(path.name, number, text, cut)


def _table(path: Path, stream: TextIO) -> Iterator[Record]:
    lines = bounded(stream, 4 * MAX_CHARACTERS)
    header = next(csv.reader([next(lines, ("", False))[0]]), [])
    columns = [name.strip().lower() for name in header]
    wanted = [k for k, name in enumerate(columns) if name == "smiles"]
    wanted = wanted or [k for k, name in enumerate(columns) if name.startswith("smiles")]
    if len(wanted) != 1:
        shown = ", ".join(header)[:100]
        raise UserError(f"{path}: expected a header with one column 'smiles', got the columns {shown!r}")
    # one line, one record: a stray quotation mark must not swallow the records behind it
    for number, (line, cut) in enumerate(lines, 1):
        try:
            row = next(csv.reader([line]), [])
        except csv.Error as error:
            yield Record(path.name, number, line[:200], reason=f"table: {error}")
            continue
        if row and len(row) <= wanted[0]:
            yield Record(path.name, number, line[:200], reason=f"table: {len(row)} columns where {len(header)} are named")
            continue
        record = record_of(path.name, number, row[wanted[0]].strip() if row else "", cut)
        given = row[columns.index("input")].strip() if "input" in columns and len(row) > columns.index("input") else ""
        yield replace(record, input=given[:MAX_CHARACTERS]) if given else record


def record_of(file: str, number: int, text: str, cut: bool = False) -> Record:
    """The record of one SMILES, refused where it is empty or too long."""
    if cut or len(text) > MAX_CHARACTERS:
        return Record(file, number, text[:200], reason=f"too long: over {MAX_CHARACTERS} characters")
    return Record(file, number, text, reason="" if text else "empty: no text")


def _blocks(path: Path, stream: TextIO) -> Iterator[Record]:
    number, block, size, reason = 1, [], 0, ""
    for line, _ in bounded(stream, MAX_CHARACTERS):
        if line.startswith("$$$$"):
            yield _block(path, number, block, reason)
            number, block, size, reason = number + 1, [], 0, ""
            continue
        size += len(line) + 1
        if size > MAX_BLOCK:
            block, reason = block[:4], f"too long: over {MAX_BLOCK} characters"
        else:
            block.append(line)
    if any(line.strip() for line in block):
        yield _block(path, number, block, reason)


def _block(path: Path, number: int, lines: list[str], reason: str) -> Record:
    text = "\n".join(lines[: next((k + 1 for k, line in enumerate(lines) if line.startswith("M  END")), len(lines))])
    if not reason:
        reason = _counted(lines)
    return Record(path.name, number, text if not reason else text[:200], "molblock", reason)


def _counted(lines: list[str]) -> str:
    """Why the counts that a mol block claims forbid parsing it, or nothing."""
    if len(lines) < 4:
        return "syntax: a mol block has at least four lines"
    claims = [lines[3][:3]] if "V3000" not in lines[3] else [w for line in lines if " COUNTS " in line for w in line.split()[3:4]]
    for claim in claims:
        if not claim.strip().isdigit():
            return f"syntax: the counts line says {claim.strip()!r} atoms"
        if int(claim) > MAX_ATOMS:
            return f"too large: {int(claim)} atoms, at most {MAX_ATOMS} are read"
    return ""
