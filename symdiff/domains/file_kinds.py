"""What kind of structures a file holds: each domain says which files are its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """How files are taken that could be of two kinds.

    Parameters
    ----------
    coordinates : bool
        Whether molecules come with their coordinates, where a format may have them.
    atoms : bool
        Whether labels of nodes of graphs are atoms.
    """

    coordinates: bool = False
    atoms: bool = False


AS_IT_IS = Wanted()
"""A file is taken for what it holds."""


@dataclass(frozen=True)
class FileKind:
    """Files of one kind of structures.

    Parameters
    ----------
    name : str
        The name of the kind, which protocols of the evaluation have too, such as "lattice".
    plural : str
        What such files hold, such as "spins".
    holds : callable
        Tells whether a file holds such structures, given its path and how it is to be taken. Raises UserError for a
        file that cannot be read.
    """

    name: str
    plural: str
    holds: Callable[[Path, Wanted], bool]
