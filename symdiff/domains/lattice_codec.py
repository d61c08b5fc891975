"""Spins on lattices: configurations and what they belong to, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symdiff.domains import spin_files
from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.groups.torus import Torus
from symdiff.spins.configuration import Configuration
from symdiff.spins.hamiltonian import Hamiltonian, half
from symdiff.state import State
from symdiff.storage.atomic import write_file

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice


class LatticeCodec(Codec):
    """Spins as ``Configuration``s.

    Parameters
    ----------
    domain : SpinLattice
        The lattice, the spins and the conditions.
    """

    def __init__(self, domain: SpinLattice) -> None:
        self.domain = domain

    def draw(self, objs: Sequence[Configuration], path: str | Path) -> bool:
        """Draw the first configurations; spins that a process hides still are white."""
        from symdiff.domains.spin_picture import picture

        write_file(path, picture(objs, self.domain))
        return True

    def encode(self, obj: Configuration) -> Arrays:
        """Take the spins of a configuration as labels, and its conditions.

        Raises
        ------
        UserError
            For what does not fit the model.
        """
        if not isinstance(obj, Configuration) or obj.spins is None:
            raise UserError(f"expected a Configuration with spins, got {type(obj).__name__}")
        piece = self.domain.piece(np.shape(obj.spins))
        record: Arrays = {"edges": np.zeros((0, 2), np.int16), "spin": self.labels(np.asarray(obj.spins)).reshape(-1)}
        if self.domain.conditions:
            given = self.domain.condition(
                self.hamiltonian_of(obj, piece), obj.temperature if "temperature" in self.domain.conditions else None
            )
            record.update({name: given[name][0].numpy() for name in self.domain.conditions})
        return record

    def hamiltonian_of(self, obj: Configuration, piece: Torus | None = None) -> Hamiltonian:
        """Make the Hamiltonian that a configuration belongs to.

        Parameters
        ----------
        obj : Configuration
            With or without spins.
        piece : Torus, optional
            Its torus; else read from the shape of the spins, couplings or field.

        Returns
        -------
        Hamiltonian
            Of one row.

        Raises
        ------
        UserError
            For couplings or a field of another shape.
        """
        if piece is None:
            over_sites = (value for value in (obj.spins, obj.coupling, obj.field) if value is not None)
            piece = self.domain.piece(np.shape(next(over_sites, ()))[: bravais(self.domain.lattice).dim])
        settings: dict = {}
        for name, value, shape in (
            ("couplings", obj.coupling, (piece.sites, -1)),
            ("field", obj.field, (piece.sites,) if self.domain.model == "ising" else (piece.sites, self.domain.states)),
        ):
            if value is None:
                continue
            try:
                flat = torch.from_numpy(np.array(value, np.float64).reshape(shape))
            except ValueError as error:
                raise UserError(f"{name}: expected {piece.sites} sites, got shape {np.shape(value)}") from error
            settings[name] = (
                torch.stack([flat, -flat], -1) if name == "field" and self.domain.model == "ising" else flat
            )
        try:
            return Hamiltonian.make(piece, self.domain.interaction, **settings)
        except ValueError as error:
            raise UserError(str(error)) from error

    def decode(self, state: State) -> list[Configuration]:
        """Make configurations; hidden spins are 0, or -1 where 0 is a label."""
        nodes = state.mask.shape[1]
        piece = self.domain.torus(nodes)
        spins = state["spin"].cpu().numpy().reshape(-1, *piece.sides)
        hidden = spins == self.domain.states  # by a process on its way: 0, or -1 where 0 is a label
        spins = (1 - 2 * spins if self.domain.model == "ising" else spins).astype(np.int8)
        spins[hidden] = 0 if self.domain.model == "ising" else -1
        conditions: dict[str, Any] = {}
        if "coupling" in state.schema:
            once = state["coupling"][..., half(piece, self.domain.directions), 0]
            conditions["coupling"] = once.cpu().numpy().reshape(-1, *piece.sides, self.domain.directions // 2)
        if "field" in state.schema:
            field = state["field"].cpu()
            field = (field[..., 0] - field[..., 1]) / 2 if self.domain.model == "ising" else field
            conditions["field"] = field.numpy().reshape(-1, *piece.sides, *field.shape[2:])
        if "temperature" in state.schema:
            conditions["temperature"] = state["temperature"][:, 0].tolist()
        return [
            Configuration(one, **{name: values[k] for name, values in conditions.items()})
            for k, one in enumerate(spins)
        ]

    def to_numpy(self, state: State) -> list[dict[str, np.ndarray]]:
        """Convert to ``spins`` and the model's conditions, on the axes of the lattice, as in ``Configuration``."""
        return [
            {name: np.asarray(value) for name, value in vars(one).items() if value is not None}
            for one in self.decode(state)
        ]

    def read(self, path: str | Path) -> list[Configuration]:
        """Read configurations from a .npz file.

        Raises
        ------
        UserError
            For a file that cannot be read or does not fit the model.
        """
        return spin_files.read(path, self.domain)

    def write(self, objs: Iterable[Configuration], path: str | Path) -> None:
        """Write configurations to .npz, or draw them to .png.

        Raises
        ------
        UserError
            For a configuration that does not fit the model, and where the file cannot be written.
        """
        spin_files.write(objs, path, self.domain)

    def labels(self, spins: np.ndarray) -> np.ndarray:
        """Turn spins into labels.

        Parameters
        ----------
        spins : ndarray
            Integers of any shape: ±1 for Ising spins, else 0..q-1.

        Returns
        -------
        ndarray
            Labels 0..q-1, int64, like ``spins``: +1 is 0, -1 is 1.

        Raises
        ------
        UserError
            For other numbers.
        """
        if spins.dtype.kind not in "iu":
            raise UserError(f"spins: expected integers, got {spins.dtype}")
        valid = (-1, 1) if self.domain.model == "ising" else tuple(range(self.domain.states))
        if not np.isin(spins, valid).all():
            raise UserError(
                f"spins: expected {'-1 and 1' if self.domain.model == 'ising' else f'0 to {self.domain.states - 1}'}, "
                f"got {np.unique(spins)[:4].tolist()}"
            )
        return ((1 - spins) // 2 if self.domain.model == "ising" else spins).astype(np.int64)
