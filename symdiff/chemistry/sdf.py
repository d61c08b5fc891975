"""SDF and mol files, record by record.

Blocks of text whose claims are checked and whose quirks are put right before RDKit sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from symdiff.chemistry.elements import number_of
from symdiff.chemistry.limits import MAX_ATOMS, MAX_BLOCK, MAX_CHARACTERS
from symdiff.errors import UserError
from symdiff.storage.files import lines
from symdiff.storage.numbers import read_integer
from symdiff.storage.records import Record

_COUNTS, _ATOMS = 3, 4  # lines of a block: the one with the counts, the first atom
_HYDROGENS, _TOPOLOGY = slice(42, 45), slice(15, 18)
"""Where V2000 has the hydrogens of an atom, and whether a bond is one of a ring: search patterns, which make a block a
query. Programs, such as that which wrote PDBbind's ligands, fill them in for molecules too."""
_PATTERN = re.compile(r" (?:HCOUNT|TOPO)=-?\d+")


def read_blocks(
    path: Path, stream: TextIO, max_atoms: int = MAX_ATOMS, properties: Sequence[str] = ()
) -> Iterator[Record]:
    """Read records up to each ``$$$$``; of the data behind ``M  END`` only what is asked for.

    Parameters
    ----------
    path : Path
        The file, for its name.
    stream : TextIO
        Its text.
    max_atoms : int
        Larger molecules are broken records.
    properties : sequence of str
        The data fields whose values come with each record.

    Yields
    ------
    Record
        Of the form "molblock".
    """
    number, block, size, reason = 1, [], 0, ""
    for line, _ in lines(stream, MAX_CHARACTERS):
        if line.startswith("$$$$"):
            yield _record(path.name, number, block, reason, max_atoms, properties)
            number, block, size, reason = number + 1, [], 0, ""
            continue
        size += len(line) + 1
        if size > MAX_BLOCK:
            block, reason = block[:_ATOMS], f"too long: over {MAX_BLOCK} characters"
        else:
            block.append(line)
    if any(line.strip() for line in block):
        yield _record(path.name, number, block, reason, max_atoms, properties)


def find_cause(text: str) -> str:
    """Say why RDKit reads no molecule in a mol block, from the lines of its atoms (V2000 alone).

    Parameters
    ----------
    text : str
        The mol block.

    Returns
    -------
    str
        A coordinate that is no finite number, or an element that is none; empty where there is neither.
    """
    block = text.split("\n")
    try:
        count = read_integer(block[_COUNTS][:3], 0)
    except (IndexError, UserError):
        return ""
    for place, line in enumerate(block[_ATOMS : _ATOMS + count] if "V3000" not in block[_COUNTS] else (), 1):
        words = line.split()
        if any(word.lower().lstrip("+-") in ("nan", "inf", "infinity") for word in words[:3]):
            return f"coordinates: atom {place} is at ({', '.join(word[:20] for word in words[:3])})"
        if len(words) > 3 and len(words[3]) <= 3 and number_of(words[3]) is None:
            return f"element: atom {place} is {words[3]!r}"
    return ""


def _record(
    file: str, number: int, block: list[str], reason: str, max_atoms: int, properties: Sequence[str] = ()
) -> Record:
    stop = next((k + 1 for k, line in enumerate(block) if line.startswith("M  END")), len(block))
    block, data = block[:stop], block[stop:]
    reason = reason or _check(block, max_atoms)
    text = "\n".join(block)[:200] if reason else "\n".join(_mend(block))
    values = [_data(data, name) for name in properties]
    return Record(file, number, text, "molblock", reason, values=values)


def _data(lines: Sequence[str], name: str) -> str:
    """The value of a data field: the line behind ``> <name>``, or nothing where there is none."""
    for line, value in pairwise(lines):
        if line.startswith(">") and f"<{name}>" in line:
            return value.strip()
    return ""


def _check(block: Sequence[str], max_atoms: int) -> str:
    """Why the counts that a block claims forbid parsing it, or nothing."""
    if len(block) < _ATOMS:
        return "syntax: a mol block has at least four lines"
    claims = [block[_COUNTS][:3]]
    if "V3000" in block[_COUNTS]:
        claims = [word for line in block if " COUNTS " in line for word in line.split()[3:4]]
    for claim in claims:
        try:
            count = read_integer(claim, 0)
        except UserError:
            return f"syntax: the counts line says {claim.strip()[:20]!r} atoms"
        if count > max_atoms:
            return f"too large: {count} atoms, at most {max_atoms} are read"
    return ""


def _mend(block: list[str]) -> list[str]:
    """The block without such patterns, and without empty lines before ``M  END``, where RDKit stops."""
    if "V3000" in block[_COUNTS]:
        return [_PATTERN.sub("", line) if line.startswith("M  V30") else line for line in block]
    atoms = _ATOMS + int(block[_COUNTS][:3])
    try:
        bonds = atoms + read_integer(block[_COUNTS][3:6], 0)
    except UserError:
        return block  # for RDKit to refuse
    return [
        *block[:_ATOMS],
        *(_clear(line, _HYDROGENS) for line in block[_ATOMS:atoms]),
        *(_clear(line, _TOPOLOGY) for line in block[atoms:bonds]),
        *(line for line in block[bonds:] if line.strip()),
    ]


def _clear(line: str, field: slice) -> str:
    return f"{line[: field.start]}  0{line[field.stop :]}" if line[field].strip() else line
