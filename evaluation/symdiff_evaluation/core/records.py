"""What a file of samples holds: one record a sample, readable or not, none lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_CHARACTERS = 10_000  # of one SMILES
MAX_BLOCK = 2_000_000  # characters of one mol block
MAX_ATOMS = 1_000
MAX_CHARGE = 15  # of an atom; SMILES and mol blocks define no more
MAX_VALENCE = 99  # bonds and hydrogens of an atom; RDKit counts them in eight bits
MAX_CYCLES = 200  # independent cycles, bonds - atoms + components: ring perception is slow far beyond


@dataclass(frozen=True)
class Record:
    """One sample as it stands in its file.

    ``number`` counts records of ``file`` from 1; ``text`` is the SMILES or the mol block, cut where it is too long (of a geometry its
    comment or formula, of a graph its numbers of nodes and edges); ``reason`` is empty, or says why the text is not even parsed. ``input``: the SMILES
    of what the sample was made from, if the file tells.
    """

    file: str
    number: int
    text: str
    form: Literal["smiles", "molblock", "geometry", "graph"] = "smiles"
    reason: str = ""
    input: str = ""
