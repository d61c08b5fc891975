"""Entries of .xyz and .extxyz files: a count, a comment, and a line for every atom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from rdkit import Chem

from symdiff.chemistry.geometry import TOTAL, Geometry, bare
from symdiff.errors import UserError, nearest

_TABLE = Chem.GetPeriodicTable()
SYMBOLS = {_TABLE.GetElementSymbol(z): z for z in range(1, 119)}
UNITS = {"angstrom": 1.0, "ang": 1.0, "bohr": 0.529177210903, "au": 0.529177210903}
_PAIR = re.compile(r'([A-Za-z_]+)=("[^"]*"|\S+)')
_DEFAULT = "species:S:1:pos:R:3"
_DIGITS = 12


def entries(text: str, max_atoms: int) -> Iterator[Geometry | UserError]:
    """The molecules of a file's text; a broken one is its reason, and those behind it come all the same.

    The comment may say ``units=bohr``, ``charge=1`` and extxyz's ``Properties``. Columns behind the coordinates are passed over but for
    ``formal_charge``. Where a count is no number, or another one than that of the lines behind it, the reading goes on at the next
    line that can be a count.
    """
    lines = text.splitlines()
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        count = _count(lines[start])
        if count is None:
            yield UserError(f"not a number of atoms: {lines[start].strip()[:40]!r} in line {start + 1}")
            start = _next_count(lines, start + 1)
            continue
        stop = start + 2 + count
        found = _entry(lines, start, count, max_atoms)
        if isinstance(found, UserError) or not _ends(lines, stop):
            other = _next_count(lines, start + 2)
            if other < min(stop, len(lines)):
                found = UserError(f"other atoms than announced: {count} by line {start + 1}, {max(0, other - start - 2)} lines follow")
                stop = other
            elif not _ends(lines, stop):
                found = UserError(f"other atoms than announced: {count} by line {start + 1}, more lines follow")
                stop = other
        yield found
        start = stop


def _count(line: str) -> int | None:
    """The number of atoms that a line announces."""
    word = line.strip()
    return int(word) if word.isascii() and word.isdigit() and len(word) <= _DIGITS else None


def _ends(lines: list[str], place: int) -> bool:
    """Whether a molecule may end before line ``place``: no atom stands there."""
    if place >= len(lines):
        return True
    try:
        _atom(lines[place], place + 1, _columns(_DEFAULT, place + 1))
    except UserError:
        return True
    return False


def _next_count(lines: list[str], place: int) -> int:
    """The first line from ``place`` on that is a number of atoms, with something like an atom behind it, or with none announced."""
    for k in range(place, len(lines)):
        count = _count(lines[k])
        if count == 0 or (count is not None and k + 2 < len(lines) and len(lines[k + 2].split()) >= 4):
            return k
    return len(lines)


def _entry(lines: list[str], start: int, count: int, max_atoms: int) -> Geometry | UserError:
    try:
        if start + 2 + count > len(lines):
            left = max(0, len(lines) - start - 2)
            raise UserError(f"cut off: line {start + 1} announces {count} atoms, {left} lines follow")
        if count > max_atoms:
            raise UserError(f"too many atoms: {count} in line {start + 1}, at most {max_atoms}")
        keys = {name.lower(): value.strip('"') for name, value in _PAIR.findall(lines[start + 1])}
        columns = _columns(keys.get("properties", _DEFAULT), start + 2)
        rows = [_atom(lines[k], k + 1, columns) for k in range(start + 2, start + 2 + count)]
        scale = _scale(keys, start + 2)
        total = _integer(keys[TOTAL], start + 2) if TOTAL in keys else None
        position = np.array([row[1] for row in rows], np.float64).reshape(-1, 3) * scale
        return bare(np.array([row[0] for row in rows], np.int64), position, np.array([row[2] for row in rows], np.int64), total)
    except UserError as error:
        return error


def _columns(properties: str, line: int) -> dict[str, int]:
    """The first column of each property."""
    parts = properties.split(":")
    found, place = {}, 0
    try:
        for name, _, width in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            found[name.lower()] = place
            place += int(width)
    except ValueError:
        raise UserError(f"Properties are not name:kind:columns: {properties[:60]!r} in line {line}") from None
    if not {"species", "pos"} <= set(found):
        raise UserError(f"Properties without species and pos: {properties[:60]!r} in line {line}")
    return found


def _atom(line: str, number: int, columns: dict[str, int]) -> tuple[int, list[float], int]:
    parts = line.split()
    species, pos, formal = columns["species"], columns["pos"], columns.get("formal_charge")
    if len(parts) <= max(species, pos + 2, formal or 0):
        raise UserError(f"not an element and three coordinates: {line.strip()[:60]!r} in line {number}")
    name = parts[species]
    element = int(name) if name.isdigit() else SYMBOLS.get(name.capitalize(), 0)
    if not 1 <= element <= 118:
        raise UserError(f"unknown element: {name[:40]!r} in line {number}")
    try:
        position = [float(value.replace("*^", "e")) for value in parts[pos : pos + 3]]
    except ValueError:
        raise UserError(f"not an element and three coordinates: {line.strip()[:60]!r} in line {number}") from None
    return element, position, 0 if formal is None else _integer(parts[formal], number)


def _integer(value: str, line: int) -> int:
    try:
        return int(value)
    except ValueError:
        raise UserError(f"charge is not a whole number: {value[:40]!r} in line {line}") from None


def _scale(keys: dict[str, str], line: int) -> float:
    unit = keys.get("units", keys.get("unit", "angstrom"))
    if unit.lower() not in UNITS:
        raise UserError(f"unknown unit: {unit[:40]!r} in line {line}{nearest(unit, UNITS)}")
    return UNITS[unit.lower()]


def entry(geometry: Geometry, extended: bool = False) -> str:
    """The lines of a molecule; ``extended``: with extxyz's ``Properties``, and formal charges where there are any."""
    formal = extended and bool(geometry.charge.any())
    comment = [f"{TOTAL}={geometry.total}"]
    if extended:
        comment = [f"Properties={_DEFAULT}{':formal_charge:I:1' if formal else ''}", *comment, 'pbc="F F F"']
    lines = [str(len(geometry.element)), " ".join(comment)]
    for element, point, charge in zip(geometry.element.tolist(), geometry.position.tolist(), geometry.charge.tolist(), strict=True):
        where = " ".join(f"{value:.6f}" for value in point)
        lines.append(f"{_TABLE.GetElementSymbol(element)} {where}{f' {charge}' if formal else ''}")
    return "\n".join(lines) + "\n"
