"""Spins on tori of several lattices: configurations in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains import spin_files
from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.domains.tori_bonds import LATTICES, bonds_of, recognize
from symdiff.errors import UserError
from symdiff.spins.configuration import Configuration
from symdiff.state import State

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice
    from symdiff.domains.tori import SpinTori


class ToriCodec(Codec):
    """Configurations are ``Configuration``s that name their lattice; a file holds those of one lattice.

    Parameters
    ----------
    domain : SpinTori
        Whose codec it is.
    """

    def __init__(self, domain: SpinTori) -> None:
        self.domain = domain

    def lattice_of(self, obj: Configuration) -> SpinLattice:
        """The lattice of a configuration as a domain of its own.

        Parameters
        ----------
        obj : Configuration
            Spins that name their lattice.

        Raises
        ------
        UserError
            For what is no configuration of spins on a named lattice.
        """
        if not isinstance(obj, Configuration) or obj.spins is None or obj.lattice is None:
            raise UserError("expected a Configuration with spins and the name of its lattice")
        return self.domain.lattice(obj.lattice, np.shape(obj.spins))

    def encode(self, obj: Configuration) -> Arrays:
        lattice = self.lattice_of(obj)
        bonds = bonds_of(lattice.lattice, lattice.sides or ())
        return {**lattice.codec.encode(obj), "edges": bonds, "bond": np.ones(len(bonds), np.int64)}

    def decode(self, state: State) -> list[Configuration]:
        """Configurations; what a process hides still is 0.

        Raises
        ------
        UserError
            For bonds that are those of no lattice.
        """
        objs, known = [], {}
        bonds, spins = state["bond"].cpu().triu(1), state["spin"].cpu()
        temperatures = state["temperature"][:, 0].tolist()
        for row, size in enumerate(state.num_nodes.tolist()):
            ends = torch.nonzero(bonds[row, :size, :size]).numpy().astype(np.int16)
            key = (size, ends.tobytes())
            if key not in known:
                known[key] = recognize(ends, size)
            kind, sides = known[key]
            labels = spins[row, :size].numpy().reshape(sides)
            signs = np.where(labels == 2, 0, 1 - 2 * labels).astype(np.int8)
            objs.append(Configuration(signs, temperature=temperatures[row], lattice=kind))
        return objs

    def draw(self, objs: Sequence[Configuration], path: str | Path) -> bool:
        """The first configurations as a picture, all of one lattice; hidden spins are white."""
        return self.lattice_of(objs[0]).codec.draw(objs, path) if objs else False

    def read(self, path: str | Path) -> list[Configuration]:
        arrays = spin_files.read_named(path)
        kind = str(arrays.get("lattice", "nothing"))
        spins = arrays.get("spins")
        if kind not in LATTICES or spins is None or spins.ndim < 2:
            raise UserError(f"{path}: expected spins on one of {', '.join(LATTICES)}, got {kind}")
        objs = spin_files.read(path, self.domain.lattice(kind, spins.shape[1:]))
        return [Configuration(obj.spins, temperature=obj.temperature, lattice=kind) for obj in objs]

    def write(self, objs: Iterable[Configuration], path: str | Path) -> None:
        """Write configurations of one lattice to .npz, or draw them to .png.

        Raises
        ------
        UserError
            For configurations of several lattices, and where the file cannot be written.
        """
        objs = iter(objs)
        first = next(objs, None)
        if first is None:
            raise UserError(f"{path}: expected at least one configuration, got none")
        spin_files.write(self._of_one(first.lattice, chain([first], objs), path), path, self.lattice_of(first))

    def _of_one(self, kind: str | None, objs: Iterable[Configuration], path: str | Path) -> Iterator[Configuration]:
        for obj in objs:
            if obj.lattice != kind:
                raise UserError(f"{path}: expected spins on one lattice, got {kind} and {obj.lattice}")
            yield obj
