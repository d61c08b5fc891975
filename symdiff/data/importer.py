"""How files of one kind become a data set: each kind has an importer of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from symdiff.data.columns import Asked
from symdiff.data.dataset import Dataset
from symdiff.data.parsing import Progress


@dataclass(frozen=True)
class ImportSettings:
    """What a user may say of files that are imported; not every kind takes all of it.

    Parameters
    ----------
    column : str, optional
        The column of SMILES in tables.
    split_column : str, optional
        The column of tables with train, valid, test.
    hydrogens : bool
        Whether hydrogens of molecules are nodes.
    coordinates : bool
        Whether .sdf files are molecules in 3D.
    bonds : bool
        Whether molecules in 3D have bonds: those that a file does not have are perceived.
    atoms : sequence of str, optional
        What the labels of nodes stand for, from 0, in files of labeled graphs, which are then molecules.
    max_nodes : int
        Larger structures are left out.
    workers : int, optional
        Processes that parse.
    properties : sequence of Asked
        Numbers that files say of every structure, to be kept.
    progress : callable, optional
        Is told what was done.
    """

    column: str | None = None
    split_column: str | None = None
    hydrogens: bool = False
    coordinates: bool = False
    bonds: bool = True
    atoms: Sequence[str] | None = None
    max_nodes: int = 512
    workers: int | None = None
    progress: Progress = None
    properties: Sequence[Asked] = ()


class Importer(NamedTuple):
    """The function that makes a data set of files of one kind, and the settings that it knows.

    Parameters
    ----------
    read : callable
        Takes the paths, what the data set says of itself (``meta``) and the settings.
    takes : collection of str
        The names of settings that not every kind has.
    """

    read: Callable[[Sequence[Path], Mapping, ImportSettings], Dataset]
    takes: Collection[str] = ()


IMPORTERS: dict[str, Importer] = {}
"""By the name of the kind (``symdiff.domains.kinds``)."""


def imports(kind: str, takes: Collection[str] = ()) -> Callable[[Callable], Callable]:
    """Decorate the function that makes a data set of files of a kind.

    Parameters
    ----------
    kind : str
        The kind, as ``symdiff.domains.kinds.recognize`` names it.
    takes : collection of str
        The names of settings that not every kind has.

    Returns
    -------
    callable
        A decorator, which registers the function and returns it as it is.
    """

    def register(read: Callable) -> Callable:
        IMPORTERS[kind] = Importer(read, takes)
        return read

    return register
