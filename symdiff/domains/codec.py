"""How structures come and go: objects and files of them, from and to arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

from symdiff.domains.arrays import Arrays
from symdiff.state import State


class Codec(ABC):
    """Objects of one domain, such as molecules, as arrays and in files.

    Attributes
    ----------
    order : str
        The canonical order in which ``encode`` puts nodes: ``smiles``, or ``stored`` where it leaves them as they are.
    """

    order: str = "stored"

    @abstractmethod
    def encode(self, obj) -> Arrays:
        """The arrays of one object.

        Raises
        ------
        UserError
            With the reason, for what does not fit the schema.
        """

    @abstractmethod
    def decode(self, state: State) -> list:
        """One object for every structure of a batch; any labels and any edges decode."""

    @abstractmethod
    def read(self, path: str | Path) -> list:
        """The objects of a file, by its ending.

        Raises
        ------
        UserError
            For a file that cannot be read.
        """

    @abstractmethod
    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write objects, which may be made while they are written, to a file, by its ending.

        It appears whole or not at all.
        """

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw objects into a .png file; False where the domain has no pictures of its own."""
        return False
