"""Files of molecules as samples: the readers are those of training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from symdiff.chemistry.reading import ENDINGS as TEXT
from symdiff.domains.molecule_files import read_records
from symdiff.graphs.files import ENDINGS as GRAPHS
from symdiff.storage.records import Record

ENDINGS = TEXT + GRAPHS


def read(path: str | Path, column: str | None = None, atoms: Sequence[str] | None = None) -> Iterator[Record]:
    """Read the records of a file, as ``symdiff.domains.molecule_files.read_records`` does for training data.

    Parameters
    ----------
    path : str or Path
        SMILES, a table, SDF, arrays or GraphML.
    column : str, optional
        Name of the column of SMILES in a table.
    atoms : sequence of str, optional
        Elements that the labels of nodes stand for.

    Returns
    -------
    iterator of Record
        Broken records keep their place and a reason.

    Raises
    ------
    UserError
        For a file that is missing, damaged, or of another kind.
    """
    return read_records(path, column, atoms=atoms)
