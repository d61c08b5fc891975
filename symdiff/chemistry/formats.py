"""Which format a file of molecules has: told by what it holds, and by its ending only where that leaves it open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from symdiff.chemistry import smiles, xyz
from symdiff.chemistry.limits import MAX_LINE
from symdiff.errors import UserError, nearest
from symdiff.storage.files import PICKLED, lines, open_text

Format = Literal["smiles", "table", "sdf", "xyz"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[str, Format] = {
    ".smi": "smiles", ".smiles": "smiles", ".txt": "smiles", ".csv": "table", ".tsv": "table",
    ".sdf": "sdf", ".sd": "sdf", ".mol": "sdf", ".xyz": "xyz", ".extxyz": "xyz",
}  # fmt: skip
"""What is expected of an ending."""
CRYSTAL = "holds a crystal, which is not read; evaluation/README.md says how to convert it"
_FOREIGN = {
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".p"), PICKLED),
    **dict.fromkeys((".cif", ".mcif", ".poscar", ".vasp"), CRYSTAL),
    **dict.fromkeys(
        (".pdb", ".mol2", ".ent", ".mmcif"),
        "is of a format that is not read; evaluation/README.md says how to convert it to .sdf",
    ),
}
_HEAD = 64  # lines that are looked at
_BINARY = 0.3  # of the characters are NUL: half of them are in UTF-16
_DIGRESS = re.compile(r"N=\d+\s*$")
_CIF = re.compile(r"\s*data_\S*\s*$", re.IGNORECASE)


def recognize(path: str | Path) -> Format:
    """Tell the format of a text file of molecules.

    Parameters
    ----------
    path : str or Path
        The file, gzipped or not.

    Returns
    -------
    str
        One of ``FORMATS``: a SMILES a line, a table with a column of SMILES, mol blocks, or geometries as text.

    Raises
    ------
    UserError
        For a file that is missing, no text, or of a format that is not read: what to do instead.
    """
    path = Path(path)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix in _FOREIGN and path.is_file():
        raise UserError(f"{path}: {_FOREIGN[suffix]}")
    if suffix not in ENDINGS and suffix not in _FOREIGN and not path.is_file():
        raise UserError(f"{path}: expected a file of molecules, got the ending {suffix!r}{nearest(suffix, ENDINGS)}")
    with open_text(path) as stream:
        head = [line for line, _ in islice(lines(stream, MAX_LINE), _HEAD)]
    _refuse(path, head)
    expected = ENDINGS.get(suffix)
    if xyz.begins_block(head):
        return "xyz"
    if any(line.startswith(("M  END", "$$$$")) for line in head) or (
        len(head) > 3 and head[3].rstrip().endswith(("V2000", "V3000"))
    ):
        return "sdf"
    if expected in (None, "smiles") and _is_table(head):
        return "table"
    if expected is None:
        raise UserError(f"{path}: expected a file of molecules, got the ending {suffix!r}{nearest(suffix, ENDINGS)}")
    return expected


def is_table(path: str | Path) -> bool:
    """Tell whether a file is a table, whose columns have names.

    Parameters
    ----------
    path : str or Path
        The file, gzipped or not.

    Returns
    -------
    bool
        Whether it is.

    Raises
    ------
    UserError
        Where the file cannot be read.
    """
    return recognize(path) == "table"


def _refuse(path: Path, head: Sequence[str]) -> None:
    """Raise UserError for what is text of another kind, or none."""
    text = "".join(head)
    if text.count("\0") > _BINARY * len(text):
        raise UserError(f"{path}: expected UTF-8 text, got a file of another kind or encoding")
    if text.startswith("PK\x03\x04"):
        raise UserError(f"{path}: expected text, got an archive; unpack it first")
    body = [line for line in head if line.strip() and not line.startswith("#")]
    if body and _CIF.match(body[0]) and any(line.lstrip().startswith(("_", "loop_")) for line in body):
        raise UserError(f"{path}: {CRYSTAL}")
    if body and _DIGRESS.match(body[0]) and any(line.startswith("E:") for line in body):
        raise UserError(f"{path}: holds graphs as DiGress writes them (N=, X:, E:), no molecules")
    if any(line.startswith("@<TRIPOS>") for line in body) or (
        body and body[0].startswith(("HEADER ", "CRYST1", "HETATM", "ATOM  ", "COMPND ", "REMARK "))
    ):
        raise UserError(f"{path}: {_FOREIGN['.pdb']}")


def _is_table(head: Sequence[str]) -> bool:
    """Whether the first line names several columns, one of them that of SMILES."""
    names = smiles.split_header(head[0])[1] if head else []
    return len(names) > 1 and any(name.strip().lower().startswith("smiles") for name in names)
