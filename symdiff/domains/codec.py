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
        """Turn an object into arrays.

        Parameters
        ----------
        obj : object
            An object of the domain.

        Returns
        -------
        Arrays
            The values of every field, and ``edges`` (E, 2) for those on pairs.

        Raises
        ------
        UserError
            With the reason, for what does not fit the schema.
        """

    @abstractmethod
    def decode(self, state: State) -> list:
        """Turn a batch into objects; any labels and any edges decode.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list
            One object for each.
        """

    @abstractmethod
    def read(self, path: str | Path) -> list:
        """Read the objects of a file.

        Parameters
        ----------
        path : str or Path
            The file, whose ending tells the format.

        Returns
        -------
        list
            Its objects, in their order.

        Raises
        ------
        UserError
            For a file that cannot be read.
        """

    @abstractmethod
    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write objects to a file, which appears whole or not at all.

        Parameters
        ----------
        objs : iterable
            Objects of the domain, which may be made while they are written.
        path : str or Path
            The file, whose ending chooses the format.

        Raises
        ------
        UserError
            For an object that does not fit, and where the file cannot be written.
        """

    def to_rdkit(self, state: State) -> list:
        """Convert a batch to RDKit molecules.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of rdkit.Chem.Mol
            One for each.

        Raises
        ------
        UserError
            Where structures are no molecules.
        """
        raise _no("RDKit molecules")

    def to_networkx(self, state: State) -> list:
        """Convert a batch to networkx graphs.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of networkx.Graph
            One for each.

        Raises
        ------
        UserError
            Where structures are no graphs.
        """
        raise _no("networkx graphs")

    def to_pyg(self, state: State) -> list:
        """Convert a batch to ``Data`` of torch-geometric.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of torch_geometric.data.Data
            One for each.

        Raises
        ------
        UserError
            Where structures have no such form.
        """
        raise _no("PyG data")

    def to_ase(self, state: State) -> list:
        """Convert a batch to ``Atoms`` of ASE.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of ase.Atoms
            One for each.

        Raises
        ------
        UserError
            Where structures are no atoms in 3D.
        """
        raise _no("ASE atoms")

    def to_numpy(self, state: State) -> list[dict[str, np.ndarray]]:
        """Convert a batch to arrays without padding.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list of dict of str to ndarray
            For each structure the arrays by field: (n, ...), (n, n, ...) or (...).
        """
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
        """Draw objects into a picture.

        Parameters
        ----------
        objs : sequence
            Objects of the domain.
        path : str or Path
            A .png file.

        Returns
        -------
        bool
            False where the domain has no pictures of its own.
        """
        return False

    def draw_like(self, objs: Sequence, like: Sequence, path: str | Path) -> bool:
        """Draw objects as ``draw`` does, from the viewpoint from which others are seen best: frames of an animation.

        Parameters
        ----------
        objs : sequence
            Objects of the domain.
        like : sequence
            As many others.
        path : str or Path
            A .png file.

        Returns
        -------
        bool
            False where the domain has no pictures of its own.
        """
        return self.draw(objs, path)


def _no(what: str) -> UserError:
    return UserError(f"these structures have no form as {what}; to_numpy gives their arrays")
