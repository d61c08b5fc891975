"""A list of substructures that no sample should have, such as MOSES's medicinal chemistry filters (MCF)."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from symdiff.errors import UserError, nearest
from symdiff.storage.files import check_size

if TYPE_CHECKING:
    from rdkit import Chem

_COLUMN = "smarts"
_MAX_BYTES, _MAX_CHARACTERS = 1_000_000, 10_000


@dataclass(frozen=True)
class Filters:
    """A list of substructures in SMARTS.

    Parameters
    ----------
    path : str
        The file that it was read from.
    sha256 : str
        SHA-256 of that file.
    smarts : tuple of str
        The patterns in the order of the file.
    """

    path: str
    sha256: str
    smarts: tuple[str, ...]


def load(path: str | Path) -> Filters:
    """Read a list of patterns as MOSES publishes its own (``mcf.csv``).

    Parameters
    ----------
    path : str or Path
        A .csv with a header and a column ``smarts``.

    Returns
    -------
    Filters
        The list.

    Raises
    ------
    UserError
        With file and line, for a row without SMARTS that RDKit reads.
    """
    path = Path(path)
    check_size(path, _MAX_BYTES)
    content = path.read_bytes()
    smarts = tuple(_rows(path, content))
    if not smarts:
        raise UserError(f"{path}: expected at least one line below the header, got none")
    return Filters(str(path), hashlib.sha256(content).hexdigest(), smarts)


def passes(mol: Chem.Mol, smarts: Sequence[str]) -> bool:
    """Tell whether a molecule has none of the substructures.

    Parameters
    ----------
    mol : rdkit.Chem.Mol
        The molecule; its implied hydrogens are made atoms.
    smarts : sequence of str
        The patterns.

    Returns
    -------
    bool
        Whether no pattern matches.
    """
    from rdkit import Chem

    whole = Chem.AddHs(mol)
    return not any(whole.HasSubstructMatch(pattern) for pattern in _patterns(tuple(smarts)))


def _rows(path: Path, content: bytes) -> Iterator[str]:
    from rdkit import Chem, rdBase

    try:
        rows = csv.reader(content.decode("utf-8-sig").splitlines(), strict=True)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {line}: expected UTF-8, got the byte {content[error.start]:#04x}") from error
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if _COLUMN not in header:
            raise UserError(
                f"{path}: line 1: expected a header with the column {_COLUMN!r}, got "
                f"{','.join(header)[:80]!r}{nearest(_COLUMN, header)}"
            )
        column = header.index(_COLUMN)
        for row in filter(None, rows):
            if len(row) != len(header):
                raise UserError(f"{path}: line {rows.line_num}: expected {len(header)} columns, got {len(row)}")
            text = row[column].strip()
            with rdBase.BlockLogs():
                pattern = Chem.MolFromSmarts(text) if 0 < len(text) <= _MAX_CHARACTERS and text.isascii() else None
            if pattern is None or not pattern.GetNumAtoms():
                raise UserError(f"{path}: line {rows.line_num}: expected SMARTS that RDKit reads, got {text[:80]!r}")
            yield text
    except csv.Error as error:
        raise UserError(f"{path}: line {rows.line_num}: no row of a table: {error}") from error


@lru_cache(maxsize=4)
def _patterns(smarts: tuple[str, ...]) -> tuple[Chem.Mol, ...]:
    from rdkit import Chem

    return tuple(map(Chem.MolFromSmarts, smarts))
