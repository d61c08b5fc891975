"""A set of configurations with what they belong to: couplings, field, temperature, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from symdiff.domains.spin_columns import SpinColumns, read_columns
from symdiff.errors import UserError
from symdiff.groups.torus import torus
from symdiff.spins.hamiltonian import Hamiltonian, interaction, ising_field
from symdiff_evaluation.core.shards import Shards, done
from symdiff_evaluation.spins.bonds import couplings
from symdiff_evaluation.spins.labels import MOST_STATES, components
from symdiff_evaluation.spins.observed import Observed, joined
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.stored import blocks, observations
from symdiff_evaluation.spins.symmetry import Subgroup, symmetries


@dataclass(frozen=True)
class Spins:
    """``configurations`` (count, L1, ..., Ld) int8, and what holds for each of them.

    They are ±1 of the ``model`` "ising", labels 0 to q - 1 of "potts" and "clock". ``hamiltonian``: one for all, or one for each.
    ``temperatures`` (count,) in J/k_B, nan where none is given; ``chain`` (count,) numbers the chain of each in the order of time, None
    for independent ones; ``records``: the number of each among all records of the file, from 0; ``reasons``: why a record
    (by that number) is no configuration; ``file``: where they stand. What is worked out of them is worked out in ``workers`` processes and
    kept in ``shards``, if there are any; ``progress`` is called with its name and the number done since its last call. ``origin``: the set
    that this one is a part of, and where in it (None: all of it).
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
        return self.configurations.shape[1:]

    @property
    def lattice(self) -> str:
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
    def observed(self) -> Observed:
        """What is worked out of each configuration."""
        if self.origin is not None:
            whole, which = self.origin
            return whole.observed if which is None else whole.observed.select(which)
        tell = None if self.progress is None else lambda count: self.progress("observables", count)
        return joined(done(observations(self.workers), blocks(self), self.shards, tell))

    @property
    def ising(self) -> bool:
        """Whether spins are numbers with a sign, not labels."""
        return self.model == "ising"

    @property
    def components(self) -> Iterator[np.ndarray]:
        """The spins as vectors, one component after the other, each (count, L1, ..., Ld): of Ising spins themselves."""
        return iter([self.configurations]) if self.ising else components(self.configurations, self.model, self.states)

    @property
    def group(self) -> Subgroup | Relabelings:
        """The symmetries of couplings and field, of a set that has one Hamiltonian. Raises ``ValueError`` for others."""
        space = symmetries(self.hamiltonian)
        return space if self.ising else Relabelings(space, self.model, self.states)

    def select(self, which: np.ndarray | slice) -> Spins:
        """Those at ``which`` (numbers or a range), as a set of its own."""
        chain = None if self.chain is None else self.chain[which]
        hamiltonian = self.hamiltonian if len(self.hamiltonian) == 1 else self.hamiltonian.select(which)
        return Spins(self.configurations[which], hamiltonian, self.temperatures[which], self.records[which], {}, chain, model=self.model)

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
        values = [*(j for _, j in couplings(self.hamiltonian)), self.hamiltonian.field[..., 0].numpy()]
        return [value.reshape(len(value), -1) for value in values]

    def _alone(self, group: np.ndarray) -> Hamiltonian:
        """The one Hamiltonian of these configurations."""
        return self.hamiltonian if len(self.hamiltonian) == 1 else self.hamiltonian.select(group[:1])


def from_arrays(arrays: Mapping[str, np.ndarray], place: str = "spins") -> Spins:
    """A set from the arrays of a file, as ``symdiff.domains.spin_columns`` reads them, of spins that can be evaluated: labels come without a field.

    Raises ``UserError`` naming ``place``.
    """
    found = read_columns(arrays, place)
    if found.states > MOST_STATES.get(found.model, 2):
        raise UserError(f"{place}: states: at most {MOST_STATES[found.model]} are evaluated of {found.model} spins, got {found.states}")
    if found.model != "ising" and np.any(found.conditions.get("field", 0)):
        raise UserError(f"{place}: field: {found.model} spins are evaluated without one, got one")
    sound = np.array([k for k in range(len(found)) if k not in found.reasons], np.int64)
    conditions = {name: _select(value, sound, len(found)) for name, value in found.conditions.items()}
    temperatures = np.broadcast_to(conditions.pop("temperature", np.array([np.nan])), (len(sound),))
    hamiltonian = _hamiltonian(conditions if len(sound) else {}, found)
    chain = None if found.chain is None else found.chain[sound]
    spins = found.spins[sound].astype(np.int8)
    return Spins(spins, hamiltonian, temperatures, sound, found.reasons, chain, file=Path(place).name, model=found.model)


def _select(value: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """The entries of so many rows, or the one of all where they are the same."""
    value = value if len(value) < count else value[rows]
    return (value[:1] if (value == value[:1]).all() else value).astype(np.float64)


def _hamiltonian(conditions: Mapping[str, np.ndarray], found: SpinColumns) -> Hamiltonian:
    """One for all records, or one for each where they differ."""
    piece, field, along = torus(found.lattice, found.sides), None, None
    if "field" in conditions and found.model == "ising":
        field = ising_field(torch.from_numpy(conditions["field"].reshape(-1, piece.sites)))
    if "coupling" not in conditions:
        return Hamiltonian.make(piece, interaction(found.model, found.states), field=field)
    coupling, along = conditions["coupling"], torch.from_numpy(found.directions)
    return Hamiltonian.make(
        piece, interaction(found.model, found.states), torch.from_numpy(coupling.reshape(len(coupling), piece.sites, -1)), field, along
    )


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
