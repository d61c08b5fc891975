"""Files of geometries as text, .xyz and .extxyz, record by record: a count, a comment, and a line for every atom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from symdiff.chemistry.elements import SYMBOLS, number_of
from symdiff.chemistry.geometry import TOTAL, Geometry, bare
from symdiff.chemistry.limits import MAX_ATOMS, MAX_CHARGE, MAX_LINE, MAX_TOTAL_CHARGE
from symdiff.errors import UserError, nearest
from symdiff.storage.files import Unreadable, lines
from symdiff.storage.numbers import read_integer
from symdiff.storage.records import Broken, Record

UNITS = {"angstrom": 1.0, "ang": 1.0, "bohr": 0.529177210903, "au": 0.529177210903}
PERIODIC = "periodic: the cell is passed over"
_PAIR = re.compile(r'(?<![A-Za-z_])([A-Za-z_]+)=("[^"]*"|\S+)')
_DEFAULT = "species:S:1:pos:R:3"
_MOST_COLUMNS = 1_000
_TRAILER = 3
"""Lines that QM9 has behind the atoms: frequencies, SMILES, InChI."""
_SHOWN = 200  # characters of a comment that a record keeps


class _Columns(NamedTuple):
    """The first columns of what is read of an atom."""

    species: int
    position: int
    charge: int | None = None


def read_blocks(
    path: Path, stream: TextIO, max_atoms: int = MAX_ATOMS, properties: Sequence[str] = ()
) -> Iterator[tuple[Record, Geometry | None]]:
    """Read the molecules of a file one after the other.

    The comment may say ``units=bohr``, ``charge=1`` (``total_charge=1``), and extxyz's ``Properties``; columns other
    than the element, the position and ``formal_charge`` are passed over, and so are a cell and QM9's three lines behind
    the atoms. Where a count is no number, or another one than that of the lines behind it, reading goes on at the next
    line that holds nothing but a number.

    Parameters
    ----------
    path : Path
        The file, for its name.
    stream : TextIO
        Its text.
    max_atoms : int
        Larger molecules are refused before they are read.
    properties : sequence of str
        Keys of the comment whose values come with each record.

    Yields
    ------
    tuple of Record and Geometry
        The comment, and the atoms in angstrom: None where the record says why there are none.
    """
    source, number = _Lines(stream), 0
    while (line := source.next()) is not None:
        if not line.strip():
            continue
        number += 1
        text = line.strip()
        count = _read_count(text)
        if count is None or count > max_atoms:
            reason = f"syntax: expected the number of atoms, got {text[:40]!r}"
            reason = reason if count is None else f"too large: {count} atoms, at most {max_atoms} are read"
            yield Record(path.name, number, text[:_SHOWN], "geometry", reason), None
            source.skip()
            continue
        comment = (source.next() or "").strip()
        try:
            rows = source.take(count)
            if len(rows) < count:
                raise Broken(f"syntax: expected {count} atoms, got {len(rows)}")
            geometry, note = _geometry(rows, comment)
            source.pass_trailer()
            if source.follows_atom():
                raise Broken(f"syntax: expected {count} atoms, more follow")
        except Unreadable:
            raise
        except UserError as error:
            yield Record(path.name, number, comment[:_SHOWN], "geometry", str(error)), None
            source.skip()
            continue
        values = [_value(comment, name) for name in properties]
        yield Record(path.name, number, comment[:_SHOWN], "geometry", note=note, values=values), geometry


def _value(comment: str, name: str) -> str:
    """What a comment says behind ``name=``, or nothing."""
    match = re.search(rf'(?<!\S){re.escape(name)}=("[^"]*"|\S+)', comment)
    return match[1].strip('"') if match else ""


def begins_block(head: list[str]) -> bool:
    """Tell whether lines are the beginning of such a file: a count, a comment and an atom.

    Parameters
    ----------
    head : list of str
        The first lines.

    Returns
    -------
    bool
        Whether they are.
    """
    head = [line.strip() for line in head]
    while head and not head[0]:
        del head[0]
    return len(head) > 2 and bool(_read_count(head[0])) and ("properties=" in head[1].lower() or _is_atom(head[2]))


class _Lines:
    """The lines of a file, of which some can be looked at before they are taken."""

    def __init__(self, stream: TextIO) -> None:
        self.source = (line for line, _ in lines(stream, MAX_LINE))
        self.ahead: list[str] = []

    def next(self) -> str | None:
        """Take the next line; None at the end."""
        return self.ahead.pop(0) if self.ahead else next(self.source, None)

    def take(self, count: int) -> list[str]:
        """Take the lines of so many atoms, or fewer where a count comes before."""
        taken: list[str] = []
        while len(taken) < count and (following := self._look(1)) and _read_count(following[0].strip()) is None:
            taken.append(self.next() or "")
        return taken

    def skip(self) -> None:
        """Go to the next line that may begin a record: behind a broken one nothing else can be trusted."""
        while (following := self._look(1)) and _read_count(following[0].strip()) is None:
            self.next()

    def pass_trailer(self) -> None:
        """Take the lines that QM9 has behind the atoms, where they are there."""
        following = self._look(_TRAILER)
        if len(following) == _TRAILER and following[2].startswith("InChI=") and _are_numbers(following[0]):
            del self.ahead[:_TRAILER]

    def follows_atom(self) -> bool:
        """Whether the next line is that of an atom."""
        following = self._look(1)
        return bool(following) and _is_atom(following[0])

    def _look(self, count: int) -> list[str]:
        while len(self.ahead) < count and (line := next(self.source, None)) is not None:
            self.ahead.append(line)
        return self.ahead[:count]


def _read_count(text: str) -> int | None:
    """The number of atoms that a line announces."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _is_atom(line: str) -> bool:
    words = line.split()
    return len(words) >= 4 and number_of(words[0]) is not None and _are_numbers(" ".join(words[1:4]))


def _are_numbers(line: str) -> bool:
    try:
        return len([_read_coordinate(word) for word in line.split()]) > 0
    except ValueError:
        return False


def _geometry(rows: list[str], comment: str) -> tuple[Geometry, str]:
    """The atoms of a record, and what to know of them. Raises UserError."""
    keys = {name.lower(): value.strip('"') for name, value in _PAIR.findall(comment)}
    columns = _read_columns(keys.get("properties", _DEFAULT))
    atoms = [_read_atom(row, place, columns) for place, row in enumerate(rows, 1)]
    unit = keys.get("units", keys.get("unit", "angstrom")).lower()
    if unit not in UNITS:
        raise Broken(f"unit: {unit[:40]!r} is none{nearest(unit, UNITS)}")
    position = np.array([atom[1] for atom in atoms], np.float64).reshape(-1, 3) * UNITS[unit]
    charges = np.array([atom[2] for atom in atoms], np.int64)
    given = keys.get(TOTAL, keys.get(f"total_{TOTAL}"))
    total = None if given is None else _read_charge(given, MAX_TOTAL_CHARGE)
    lattice = "lattice" in keys and set(keys.get("pbc", "T").upper().split()) & {"T", "TRUE", "1"}
    return bare(np.array([atom[0] for atom in atoms], np.int64), position, charges, total), PERIODIC if lattice else ""


def _read_columns(properties: str) -> _Columns:
    """Where an atom's element and the rest stand in its line."""
    parts = properties.split(":")
    place, places = 0, {}
    for name, _, width in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        try:
            places[name.lower()] = (place, read_integer(width, 1, _MOST_COLUMNS))
        except UserError as error:
            raise Broken(f"syntax: Properties: {name[:40]!r}: {error}") from None
        place += places[name.lower()][1]
    species, position = places.get("species", places.get("z")), places.get("pos")
    if species is None or position is None or position[1] != 3:
        raise Broken(f"syntax: Properties: expected species and pos:R:3, got {properties[:60]!r}")
    return _Columns(species[0], position[0], places["formal_charge"][0] if "formal_charge" in places else None)


def _read_atom(row: str, place: int, columns: _Columns) -> tuple[int, list[float], int]:
    words = row.split()
    if len(words) <= max(columns.species, columns.position + 2, columns.charge or 0):
        raise Broken(f"syntax: atom {place}: expected an element and three coordinates, got {row.strip()[:60]!r}")
    number = number_of(words[columns.species])
    if number is None:
        raise Broken(f"element: atom {place} is {words[columns.species][:20]!r}")
    coordinates = words[columns.position : columns.position + 3]
    try:
        position = [_read_coordinate(word) for word in coordinates]
    except ValueError:
        raise Broken(f"syntax: atom {place}: expected three coordinates, got {' '.join(coordinates)[:60]!r}") from None
    return number, position, 0 if columns.charge is None else _read_charge(words[columns.charge], MAX_CHARGE)


def _read_coordinate(word: str) -> float:
    """A coordinate, or nan and infinity for ``check`` to refuse. Raises ValueError."""
    if "_" in word or not word.isascii():
        raise ValueError
    return float(word.replace("*^", "e"))  # as QM9's files write exponents


def _read_charge(text: str, most: int) -> int:
    try:
        return read_integer(text, -most, most, decimals=True)
    except UserError as error:
        raise Broken(f"charge: {error}") from None


def write_block(geometry: Geometry, extended: bool = False) -> str:
    """Write the lines of a molecule.

    Parameters
    ----------
    geometry : Geometry
        The molecule; its bonds are not written.
    extended : bool
        Whether extxyz's ``Properties`` are written, and formal charges where there are any.

    Returns
    -------
    str
        The count, the comment, and a line for every atom.
    """
    formal = extended and bool(geometry.charge.any())
    comment = [f"{TOTAL}={geometry.total}"]
    if extended:
        comment = [f"Properties={_DEFAULT}{':formal_charge:I:1' if formal else ''}", *comment, 'pbc="F F F"']
    rows = [str(len(geometry.element)), " ".join(comment)]
    for element, point, charge in zip(
        geometry.element.tolist(), geometry.position.tolist(), geometry.charge.tolist(), strict=True
    ):
        where = " ".join(f"{value:.6f}" for value in point)
        rows.append(f"{SYMBOLS[element]} {where}{f' {charge}' if formal else ''}")
    return "\n".join(rows) + "\n"
