"""Files of SMILES, record by record: one a line, or one column of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from symdiff.chemistry.limits import MAX_ATOMS, MAX_CHARACTERS
from symdiff.errors import UserError, nearest
from symdiff.storage.files import lines
from symdiff.storage.records import Record

DELIMITERS = (",", ";", "\t")
_SPANNED = 50  # lines that one quoted field of a table may have
_STRAYS = 100  # stray quotation marks after which a table is taken to have no such fields
_LONGEST_ROW = 100_000  # characters of such a row
_SHOWN = 200  # characters of a line that cannot be read


def read_lines(path: Path, stream: TextIO, max_atoms: int = MAX_ATOMS) -> Iterator[Record]:
    """Read a SMILES a line, up to the first white space.

    An empty line is an empty sample, a first line "smiles" a header.

    Parameters
    ----------
    path : Path
        The file, for its name.
    stream : TextIO
        Its text.
    max_atoms : int
        Longer SMILES than such a molecule may have are not read.

    Yields
    ------
    Record
        Of the form "smiles".
    """
    longest, number = longest_smiles(max_atoms), 0
    for place, (line, cut) in enumerate(lines(stream, longest)):
        text = line.split(maxsplit=1)[0] if line.strip() else ""
        if place == 0 and text.lower() == "smiles":
            continue
        number += 1
        yield record_of(path.name, number, text, cut, longest)


def read_table(
    path: Path,
    stream: TextIO,
    max_atoms: int = MAX_ATOMS,
    column: str | None = None,
    split_column: str | None = None,
    properties: Sequence[str] = (),
) -> Iterator[Record]:
    """Read a table with a header, separated by commas, semicolons or tabs.

    A line is a record, so that a stray quotation mark costs no neighbor; a quoted field may go on over several lines
    where the row then has as many fields as the header. A column ``input`` has the SMILES of what each was made from.

    Parameters
    ----------
    path : Path
        The file, for its name.
    stream : TextIO
        Its text.
    max_atoms : int
        Longer SMILES than such a molecule may have are not read.
    column : str, optional
        The column of SMILES; without, the one called ``smiles``, or the only one that starts so.
    split_column : str, optional
        The column that names a split.
    properties : sequence of str
        The columns whose values come with each record.

    Yields
    ------
    Record
        Of the form "smiles".

    Raises
    ------
    UserError
        Where there is no such column, or several.
    """
    longest = longest_smiles(max_atoms)
    rows = _Rows(lines(stream, 4 * longest))
    header = rows.read_header(column)
    names = [name.strip() for name in header]
    place = choose_column(path, names, column)
    split_place = None if split_column is None else choose_column(path, names, split_column)
    places = [choose_column(path, names, name) for name in properties]
    input_place = names.index("input") if names.count("input") == 1 else None
    for number, (row, line, cut) in enumerate(rows, 1):
        if isinstance(row, str):
            yield Record(path.name, number, line[:_SHOWN], reason=f"table: {row}")
            continue
        needed = max(place, split_place or 0, *places)
        if row and len(row) <= needed:
            yield Record(
                path.name, number, line[:_SHOWN], reason=f"table: {len(row)} columns where {len(header)} are named"
            )
            continue
        record = record_of(path.name, number, row[place].strip() if row else "", cut, longest)
        if input_place is not None and len(row) > input_place:
            record = replace(record, input=row[input_place].strip()[:longest])
        if split_place is not None and row:
            record = replace(record, split=row[split_place].strip())
        if places and row:
            record = replace(record, values=[row[k].strip() for k in places])
        yield record


def choose_column(path: str | Path, names: Sequence[str], column: str | None = None) -> int:
    """Find a column of a table by its name.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    names : sequence of str
        The columns.
    column : str, optional
        The name, in any case; without, the one called ``smiles``, or the only one that starts so.

    Returns
    -------
    int
        The index of the column.

    Raises
    ------
    UserError
        Where there is none, or several.
    """
    shown = ", ".join(names)[:100] or "none"
    if column is not None:
        places = [k for k, name in enumerate(names) if name == column]
        places = places or [k for k, name in enumerate(names) if name.lower() == column.strip().lower()]
        if not places:
            raise UserError(f"{path}: no column {column!r}{nearest(column, names)}")
        if len(places) > 1:
            raise UserError(f"{path}: {len(places)} columns are called {column!r}; expected one")
        return places[0]
    lowered = [name.lower() for name in names]
    places = [k for k, name in enumerate(lowered) if name == "smiles"]
    places = places or [k for k, name in enumerate(lowered) if name.startswith("smiles")]
    if not places:
        raise UserError(
            f"{path}: expected a column 'smiles', got the columns {shown}; name the column of SMILES with --column"
        )
    if len(places) > 1 and len({names[k] for k in places}) == 1:
        raise UserError(f"{path}: {len(places)} columns are called {names[places[0]]!r}; expected one")
    if len(places) > 1:
        raise UserError(
            f"{path}: several columns of SMILES: {', '.join(names[k] for k in places)[:100]}; name the one that is "
            "meant with --column"
        )
    return places[0]


def split_header(line: str, column: str | None = None) -> tuple[str, list[str]]:
    """Tell the separator of a table and its columns: the one that gives the column asked for, else most columns.

    Parameters
    ----------
    line : str
        The first line.
    column : str, optional
        The column asked for, ``smiles`` by default.

    Returns
    -------
    separator : str
        A comma, a semicolon or a tab.
    names : list of str
        The columns.
    """
    readings = [(mark, _parse(line, mark, strict=False)) for mark in DELIMITERS]
    wanted = "smiles" if column is None else column.strip().lower()

    def fits(reading: tuple[str, list[str]]) -> tuple[bool, int]:
        names = [name.strip().lower() for name in reading[1]]
        return wanted in names, len(names)

    return max(readings, key=fits)


def record_of(file: str, number: int, text: str, cut: bool = False, longest: int = MAX_CHARACTERS) -> Record:
    """Make the record of one SMILES, refused where it is empty or too long.

    Parameters
    ----------
    file : str
        The name of the file.
    number : int
        The number of the record, from 1.
    text : str
        The SMILES.
    cut : bool
        Whether more text followed that was not kept.
    longest : int
        Characters that it may have.

    Returns
    -------
    Record
        Of the form "smiles", with a reason where it is refused.
    """
    if cut or len(text) > longest:
        return Record(file, number, text[:_SHOWN], reason=f"too long: over {longest} characters")
    return Record(file, number, text, reason="" if text else "empty: no text")


def longest_smiles(max_atoms: int) -> int:
    """Compute how many characters the SMILES of a molecule may have.

    Parameters
    ----------
    max_atoms : int
        Atoms that the molecule may have.

    Returns
    -------
    int
        Characters.
    """
    return max(MAX_CHARACTERS, MAX_CHARACTERS // MAX_ATOMS * max_atoms)


class _Rows:
    """The rows of a table, each with its first line and whether that was cut; a row that is none is the reason."""

    def __init__(self, source: Iterator[tuple[str, bool]]) -> None:
        self.source, self.ahead = source, []
        self.mark, self.width, self.strays = ",", 0, 0

    def read_header(self, column: str | None) -> list[str]:
        """Read the first line and tell by it how the others are separated."""
        self.mark, header = split_header(next(self.source, ("", False))[0], column)
        self.width = len(header)
        return header

    def __iter__(self) -> Iterator[tuple[list[str] | str, str, bool]]:
        while True:
            line, cut = self.ahead.pop(0) if self.ahead else next(self.source, (None, False))
            if line is None:
                return
            try:
                yield self._row(line), line, cut
            except csv.Error as error:
                yield str(error), line, cut

    def _row(self, line: str) -> list[str]:
        try:
            return _parse(line, self.mark, strict=True)
        except csv.Error as error:
            if "unexpected end of data" in str(error) and self.strays < _STRAYS:
                if (row := self._spanning(line)) is not None:
                    return row
                self.strays += 1
        return _parse(line, self.mark, strict=False)

    def _spanning(self, line: str) -> list[str] | None:
        """The row that begins in ``line`` with a field of several lines, where there is one.

        Its lines are then used up.
        """
        self.ahead += islice(self.source, max(0, _SPANNED - len(self.ahead)))
        text = line
        for used, (more, cut) in enumerate(self.ahead, 1):
            text = f"{text}\n{more}"
            if cut or len(text) > _LONGEST_ROW:
                return None
            if '"' not in more:
                continue
            try:
                row = _parse(text, self.mark, strict=True)
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    continue
                return None
            if len(row) != self.width:
                return None
            del self.ahead[:used]
            return row
        return None


def _parse(line: str, mark: str, strict: bool) -> list[str]:
    return next(csv.reader([f"{part}\n" for part in line.split("\n")], delimiter=mark, strict=strict), [])
