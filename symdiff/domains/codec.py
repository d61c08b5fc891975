"""How structures come and go: objects and files of them, from and to arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from symdiff.domains.arrays import Arrays
from symdiff.errors import UserError
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

    def to_rdkit(self, state: State) -> list:
        """One RDKit molecule for every structure. Raises UserError where structures are no molecules."""
        raise _no("RDKit molecules")

    def to_networkx(self, state: State) -> list:
        """One networkx graph for every structure. Raises UserError where structures are no graphs."""
        raise _no("networkx graphs")

    def to_pyg(self, state: State) -> list:
        """One PyG ``Data`` for every structure. Raises UserError where structures have no such form."""
        raise _no("PyG data")

    def to_ase(self, state: State) -> list:
        """One ASE ``Atoms`` for every structure. Raises UserError where structures are no atoms in space."""
        raise _no("ASE atoms")

    def to_numpy(self, state: State) -> list[dict[str, np.ndarray]]:
        """The arrays of every structure by the names of its fields, without padding: (n, ...), (n, n, ...) or (...)."""
        trimmed = []
        for row, size in enumerate(state.num_nodes.tolist()):
            part = {"node": (slice(size),), "pair": (slice(size), slice(size)), "whole": ()}
            trimmed.append(
                {
                    name: state[name][row].detach().cpu().numpy()[part[field.axes]]
                    for name, field in state.schema.items()
                }
            )
        return trimmed

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw objects into a .png file; False where the domain has no pictures of its own."""
        return False

    def draw_like(self, objs: Sequence, like: Sequence, path: str | Path) -> bool:
        """``draw`` objects from where other ones, in the same number, are seen best: frames of an animation."""
        return self.draw(objs, path)


def _no(what: str) -> UserError:
    return UserError(f"these structures have no form as {what}; to_numpy gives their arrays")
