"""A set of configurations with what they belong to: couplings, field, temperature, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import Kind
from symdiff.groups.torus import Torus, torus
from symdiff.spins.hamiltonian import Hamiltonian, half, interaction, ising_field
from symdiff_evaluation.core.shards import Shards, done
from symdiff_evaluation.spins.bonds import couplings
from symdiff_evaluation.spins.labels import MOST_STATES, components
from symdiff_evaluation.spins.observed import Observed, joined
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.stored import blocks, observations
from symdiff_evaluation.spins.symmetry import KINDS, Subgroup, symmetries

ARRAYS = ("spins", "coupling", "directions", "field", "temperature", "chain", "lattice", "model", "states")
MAX_SITES = 1 << 20
MAX_STEP = 1 << 20
"""Sites that a bond may reach."""

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
    """A set from the arrays of a file, as ``symdiff sample`` writes them. Raises ``UserError`` naming ``place``.

    ``spins`` (count, L1, ..., Ld); ``coupling`` (L1, ..., Ld, D) or with count first, along ``directions`` (D, d), else 1 between nearest
    neighbors; ``field`` (L1, ..., Ld), with count first, or a number, else 0; ``temperature`` () or (count,); ``chain`` (count,);
    ``lattice``: chain, square, triangular or cubic; ``model``: ising, else potts or clock with ``states`` and without a field. A record with
    values other than ±1, or than the labels 0 to ``states`` - 1, is broken and costs no other.
    """
    for name in arrays:
        if name not in ARRAYS:
            raise UserError(f"{place}: unknown array {name!r}{nearest(str(name), ARRAYS)}")
    if "spins" not in arrays:
        raise UserError(f"{place}: expected an array 'spins', got {', '.join(arrays) or 'none'}")
    model, states = _model(arrays, place)
    spins = arrays["spins"]
    if spins.dtype.kind not in "iufb" or not 2 <= spins.ndim <= 4 or min(spins.shape[1:], default=0) < 2:
        raise UserError(f"{place}: spins: expected (count, L1, ..., Ld) with 1 to 3 sides of 2 or more, got {spins.dtype} {spins.shape}")
    count, shape = len(spins), spins.shape[1:]
    if np.prod(shape) > MAX_SITES:
        raise UserError(f"{place}: spins: at most {MAX_SITES} sites are read, got {np.prod(shape)}")
    lattice = str(arrays["lattice"]) if "lattice" in arrays else KINDS[len(shape)]
    try:
        piece = torus(lattice, shape)
    except ValueError as error:
        raise UserError(f"{place}: lattice: {lattice[:40]!r} does not have {len(shape)} sides{nearest(lattice[:40], get_args(Kind))}") from error
    if model != "ising" and "field" in arrays:
        if np.any(arrays["field"]):  # of labels it has an axis more
            raise UserError(f"{place}: field: {model} spins are evaluated without one, got one")
        arrays = {name: value for name, value in arrays.items() if name != "field"}
    hamiltonian = _hamiltonian(arrays, place, count, piece, interaction(model, states))
    temperatures = _per_sample(arrays, "temperature", place, count, np.nan)
    if (temperatures <= 0).any() or np.isinf(temperatures).any():
        raise UserError(f"{place}: temperature: expected numbers above 0")
    chain = _per_sample(arrays, "chain", place, count, 0.0) if "chain" in arrays else None
    valid, told = ((-1, 1), "-1 or 1") if model == "ising" else (tuple(range(states)), f"0 to {states - 1}")
    known = np.isin(spins, valid) & (spins.dtype.kind != "b")
    flat, right = spins.reshape(count, int(np.prod(shape))), known.reshape(count, int(np.prod(shape)))
    sound = right.all(1)
    reasons = {int(k): f"value: {_strange(flat[k], right[k])} where {told} is expected" for k in np.flatnonzero(~sound)}
    kept = np.where(known, spins, 0).astype(np.int8)
    whole = Spins(kept, hamiltonian, temperatures, np.arange(count), {}, chain, model=model)
    return replace(whole.select(np.flatnonzero(sound)) if reasons else whole, reasons=reasons, file=Path(place).name)


def _model(arrays: Mapping[str, np.ndarray], place: str) -> tuple[str, int]:
    """The model and its number of states."""
    model = str(arrays["model"]) if "model" in arrays else "ising"
    if model == "ising":
        return model, 2
    if model not in MOST_STATES:
        known = ("ising", *MOST_STATES)
        raise UserError(f"{place}: model: expected {', '.join(known)}, got {model!r}{nearest(model, known)}")
    states = arrays.get("states", np.array(0))
    if states.dtype.kind not in "iu" or states.shape or not 2 <= states <= MOST_STATES[model]:
        got = "none" if "states" not in arrays else states.tolist()
        raise UserError(f"{place}: states: expected a whole number from 2 to {MOST_STATES[model]} for {model} spins, got {got}")
    return model, int(states)


def _hamiltonian(arrays: Mapping[str, np.ndarray], place: str, count: int, piece: Torus, interaction: torch.Tensor) -> Hamiltonian:
    """One for all records, or one for each where they differ."""
    field = None
    if "field" in arrays:
        h = _conditions(arrays["field"], "field", place, count, piece.sides)
        field = ising_field(torch.from_numpy(h.reshape(len(h), -1)).expand(-1, piece.sites))
    if "coupling" not in arrays:
        return Hamiltonian.make(piece, interaction, field=field)
    coupling = arrays["coupling"]
    number = coupling.shape[-1] if coupling.ndim else 0
    along = _directions(arrays, place, piece, number)
    ways = [_conditions(coupling[..., k], "coupling", place, count, piece.sides) for k in range(number)]
    every = max(map(len, ways))
    values = [np.broadcast_to(one, (every, *piece.sides)).reshape(every, -1) for one in ways]
    return Hamiltonian.make(piece, interaction, torch.from_numpy(np.stack(values, -1)), field, along)


def _directions(arrays: Mapping[str, np.ndarray], place: str, piece: Torus, number: int) -> torch.Tensor:
    """The directions of so many couplings of a site: (number, d)."""
    every = piece.lattice.directions()
    along = every[half(piece, every)][:number]  # as ``symdiff sample`` writes them
    if "directions" in arrays:
        directions = arrays["directions"]
        if directions.dtype.kind not in "iu" or directions.shape != (number, len(piece.sides)):
            raise UserError(f"{place}: directions: expected whole numbers ({number}, {len(piece.sides)}), got {directions.dtype} {directions.shape}")
        along = torch.from_numpy(directions.astype(np.int64))
    try:
        piece.lattice.star(torch.cat([along, -along]))
    except ValueError:
        along = along[:0]
    if not number or len(along) != number or along.abs().max() > MAX_STEP:
        raise UserError(f"{place}: coupling: expected one for each of 1 or more different directions, got {number}")
    return along


def _conditions(value: np.ndarray, name: str, place: str, count: int, shape: tuple[int, ...]) -> np.ndarray:
    """(1, 1, ..., 1) where one number is given, else (1, L1, ..., Ld) where all records have the same, else (count, L1, ..., Ld)."""
    if value.dtype.kind not in "iuf" or value.shape not in ((), shape, (1, *shape), (count, *shape)):
        raise UserError(f"{place}: {name}: expected numbers over {shape} or {(count, *shape)}, got {value.dtype} {value.shape}")
    if not np.isfinite(value).all():
        raise UserError(f"{place}: {name}: expected finite numbers, got nan or inf")
    value = value.astype(np.float64).reshape(-1, *(shape if value.ndim else [1] * len(shape)))
    return value[:1] if (value == value[:1]).all() else value


def _per_sample(arrays: Mapping[str, np.ndarray], name: str, place: str, count: int, default: float) -> np.ndarray:
    value = arrays.get(name, np.array(default))
    if value.dtype.kind not in "iuf" or value.shape not in ((), (1,), (count,)):
        raise UserError(f"{place}: {name}: expected one number or {count}, got {value.dtype} {value.shape}")
    if name in arrays and not np.isfinite(value).all():
        raise UserError(f"{place}: {name}: expected finite numbers, got nan or inf")
    return np.broadcast_to(value.astype(np.float64), (count,))


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


def _strange(row: np.ndarray, right: np.ndarray) -> str:
    return f"{row[~right][0]:g}" if row.dtype.kind != "b" else "true or false"

