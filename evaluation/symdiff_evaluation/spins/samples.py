"""A set of configurations with what they belong to: couplings, field, temperature, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import cast

import numpy as np
import torch

from symdiff.domains.spin_columns import SpinColumns, read_columns
from symdiff.errors import UserError
from symdiff.groups.bravais import LatticeKind
from symdiff.groups.torus import torus
from symdiff.spins.hamiltonian import Hamiltonian, Model, interaction, ising_field
from symdiff_evaluation.core.shards import Shards, work_out
from symdiff_evaluation.spins.bonds import list_couplings
from symdiff_evaluation.spins.labels import MOST_STATES, components
from symdiff_evaluation.spins.observations import Observations, join
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.symmetry import Subgroup, symmetries
from symdiff_evaluation.spins.works import make_work, split_blocks


@dataclass(frozen=True)
class Spins:
    """A set of configurations, and what holds for each of them.

    Parameters
    ----------
    configurations : numpy.ndarray, (count, L1, ..., Ld) int8
        ±1 of the model "ising", labels 0 to q - 1 of "potts" and "clock".
    hamiltonian : Hamiltonian
        One for all, or one for each.
    temperatures : numpy.ndarray, (count,)
        In J/k_B, nan where none is given.
    records : numpy.ndarray, (count,)
        Number of each among all records of the file, from 0.
    reasons : mapping of int to str
        Why a record (by that number) is no configuration.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each, in the order of time; None: independent.
    file : str
        Name of the file.
    model : str
        "ising", "potts" or "clock".
    workers : int
        Number of processes for what is worked out.
    shards : Shards, optional
        Where that is kept.
    progress : callable, optional
        Called with the name of what is worked out and the number of configurations done since its last call.
    origin : tuple, optional
        The set that this one is a part of, and where in it (None: all of it).
    """

    configurations: np.ndarray
    hamiltonian: Hamiltonian
    temperatures: np.ndarray
    records: np.ndarray
    reasons: Mapping[int, str]
    chain: np.ndarray | None = None
    file: str = ""
    model: str = "ising"
    workers: int = field(default=1, compare=False, repr=False)
    shards: Shards | None = field(default=None, compare=False, repr=False)
    progress: Callable[[str, int], None] | None = field(default=None, compare=False, repr=False)
    origin: tuple[Spins, np.ndarray | None] | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.configurations)

    @property
    def total(self) -> int:
        """Number of records, broken ones included."""
        return len(self) + len(self.reasons)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides of the lattice."""
        return self.configurations.shape[1:]

    @property
    def lattice(self) -> LatticeKind:
        """chain, square, triangular or cubic."""
        return self.hamiltonian.torus.lattice.kind

    @property
    def states(self) -> int:
        """Number of states of a spin."""
        return self.hamiltonian.states

    @property
    def temperature(self) -> float | None:
        """The one temperature of all, None where there is none or several."""
        return float(self.temperatures[0]) if len(self) and (self.temperatures == self.temperatures[0]).all() else None

    @cached_property
    def observations(self) -> Observations:
        """What is worked out of each configuration, once."""
        if self.origin is not None:
            whole, which = self.origin
            return whole.observations if which is None else whole.observations.select(which)
        tell = None if self.progress is None else partial(self.progress, "observables")
        return join(work_out(make_work(self.workers), split_blocks(self), self.shards, tell))

    @property
    def is_ising(self) -> bool:
        """Whether spins are numbers with a sign, not labels."""
        return self.model == "ising"

    @property
    def components(self) -> Iterator[np.ndarray]:
        """The spins as vectors, one component after the other, each (count, L1, ..., Ld): of Ising spins themselves."""
        return (
            iter([self.configurations]) if self.is_ising else components(self.configurations, self.model, self.states)
        )

    @property
    def group(self) -> Subgroup | Relabelings:
        """The symmetries of couplings and field, of a set that has one Hamiltonian.

        Raises ``ValueError`` for others.
        """
        space = symmetries(self.hamiltonian)
        return space if self.is_ising else Relabelings(space, self.model, self.states)

    def select(self, which: np.ndarray | slice) -> Spins:
        """Select configurations.

        Parameters
        ----------
        which : numpy.ndarray or slice
            Numbers or a range.

        Returns
        -------
        Spins
            A set of its own.
        """
        chain = None if self.chain is None else self.chain[which]
        hamiltonian = self.hamiltonian if len(self.hamiltonian) == 1 else self.hamiltonian.select(which)
        return Spins(
            self.configurations[which],
            hamiltonian,
            self.temperatures[which],
            self.records[which],
            {},
            chain,
            model=self.model,
        )

    @cached_property
    def parts(self) -> list[Spins]:
        """The set by Hamiltonian and temperature: within a part both are the same."""
        groups = _groups([np.nan_to_num(self.temperatures[:, None], nan=-1.0), *self._tables()])
        if len(groups) == 1:
            return [replace(self, hamiltonian=self._alone(groups[0]), origin=(self, None))]
        return [replace(self.select(group), hamiltonian=self._alone(group), origin=(self, group)) for group in groups]

    @property
    def hamiltonians(self) -> list[tuple[np.ndarray, Hamiltonian]]:
        """The different Hamiltonians, each with the numbers of the configurations that it belongs to."""
        return [(group, self._alone(group)) for group in _groups([np.zeros((len(self), 1)), *self._tables()])]

    def _tables(self) -> list[np.ndarray]:
        """Couplings and field, where they differ from sample to sample: (count, numbers)."""
        if len(self.hamiltonian) == 1:
            return []
        values = [*(j for _, j in list_couplings(self.hamiltonian)), self.hamiltonian.field[..., 0].numpy()]
        return [value.reshape(len(value), -1) for value in values]

    def _alone(self, group: np.ndarray) -> Hamiltonian:
        """The one Hamiltonian of these configurations."""
        return self.hamiltonian if len(self.hamiltonian) == 1 else self.hamiltonian.select(group[:1])


def from_arrays(arrays: Mapping[str, np.ndarray], place: str = "spins") -> Spins:
    """Make a set of the arrays of a file, as ``symdiff sample`` writes them.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        What ``symdiff.domains.spin_columns.read_columns`` reads. Potts and clock spins are evaluated without a field.
    place : str
        The name of the file.

    Returns
    -------
    Spins
        A broken record is left out, with its reason, and costs no other.

    Raises
    ------
    UserError
        Where the arrays do not belong together, or are of spins that are not evaluated.
    """
    columns = read_columns(arrays, place)
    _check(columns, place)
    rows = np.array([k for k in range(len(columns)) if k not in columns.reasons], np.int64)
    conditions = {name: value if len(value) == 1 else value[rows] for name, value in columns.conditions.items()}
    temperatures = np.broadcast_to(conditions.get("temperature", np.array([np.nan])).astype(np.float64), (len(rows),))
    hamiltonian = _hamiltonian(columns, conditions)
    chain = None if columns.chain is None else columns.chain[rows]
    sound = columns.spins[rows].astype(np.int8)
    return Spins(sound, hamiltonian, temperatures, rows, columns.reasons, chain, Path(place).name, columns.model)


def _check(columns: SpinColumns, place: str) -> None:
    most = MOST_STATES.get(columns.model, columns.states)
    if columns.states > most:
        raise UserError(f"{place}: states: at most {most} are evaluated of {columns.model} spins, got {columns.states}")
    if columns.model != "ising" and np.any(columns.conditions.get("field", 0)):
        raise UserError(f"{place}: field: {columns.model} spins are evaluated without one, got one")


def _hamiltonian(columns: SpinColumns, conditions: Mapping[str, np.ndarray]) -> Hamiltonian:
    """One for all records, or one for each where they differ."""
    piece = torus(columns.lattice, columns.sides)
    settings = {"couplings": torch.ones(len(columns.directions)), "along": torch.from_numpy(columns.directions)}
    if len(conditions.get("coupling", ())):
        settings["couplings"] = _tensor(conditions["coupling"], (piece.sites, -1))
    if columns.model == "ising" and len(conditions.get("field", ())):
        settings["field"] = ising_field(_tensor(conditions["field"], (piece.sites,)))
    return Hamiltonian.make(piece, interaction(cast(Model, columns.model), columns.states), **settings)


def _tensor(value: np.ndarray, shape: tuple[int, ...]) -> torch.Tensor:
    """The numbers of all records, or of one where all have the same."""
    value = value[:1] if (value == value[:1]).all() else value
    return torch.from_numpy(np.array(value, np.float64).reshape(len(value), *shape))


def _groups(columns: list[np.ndarray]) -> list[np.ndarray]:
    """The numbers of the rows (count, ...) that are alike, for each kind of row."""
    table = np.concatenate(columns, 1)
    if not len(table):
        return []
    if (table == table[:1]).all():
        return [np.arange(len(table))]
    which = np.unique(table, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(which, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which[order])) + 1)
