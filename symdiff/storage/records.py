"""What a file of samples or of training data holds: one record a structure, readable or not, none lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from symdiff.errors import UserError


@dataclass(frozen=True, slots=True)
class Record:
    """One structure as it stands in its file.

    Parameters
    ----------
    file : str
        The name of the file.
    number : int
        The record's place in it, from 1.
    text : str
        The SMILES or the mol block, cut where it is too long; of a geometry its comment or formula, of a graph its
        numbers of nodes and edges.
    form : str
        What the text is.
    reason : str
        Why the record cannot be read, as ``kind: detail``; empty where it can.
    input : str
        The SMILES of what the structure was made from, where the file says it.
    split : str
        The name of the split, where a column of the file was named for it.
    note : str
        What to know of a record that was read.
    values : sequence of str
        What the file says of the properties that it was asked for, "" where one is missing.
    """

    file: str
    number: int
    text: str
    form: Literal["smiles", "molblock", "geometry", "graph"] = "smiles"
    reason: str = ""
    input: str = ""
    split: str = ""
    note: str = ""
    values: Sequence[str] = ()


class Broken(UserError):
    """Why a record is no structure, as ``kind: detail``; its neighbors are read all the same."""
