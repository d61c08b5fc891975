"""A set of configurations with what they belong to: couplings, field, temperature, chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from symdiff.errors import UserError, nearest
from symdiff_evaluation.core.shards import Shards, done
from symdiff_evaluation.spins.hamiltonian import Hamiltonian
from symdiff_evaluation.spins.labels import MOST_STATES, components
from symdiff_evaluation.spins.observed import Observed, joined
from symdiff_evaluation.spins.relabelings import Relabelings
from symdiff_evaluation.spins.stored import blocks, observations
from symdiff_evaluation.spins.symmetry import KINDS, Symmetries, symmetries

ARRAYS = ("spins", "coupling", "directions", "field", "temperature", "chain", "lattice", "model", "states")
MAX_SITES = 1 << 20
_DIRECTIONS = {
    "chain": [(1,), (2,)],
    "square": [(1, 0), (0, 1), (1, 1), (-1, 1)],
    "triangular": [(1, 0), (0, 1), (-1, 1), (1, 1), (-1, 2), (-2, 1)],
    "cubic": [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
}  # of bonds, as ``symdiff sample`` writes them


@dataclass(frozen=True)
class Spins:
    """``configurations`` (count, L1, ..., Ld) int8, and what holds for each of them.

    They are ±1 of the ``model`` "ising", labels 0 to ``states`` - 1 of "potts" and "clock".
    ``temperatures`` (count,) in J/k_B, nan where none is given; ``chain`` (count,) numbers the chain of each in the order of time, None
    for independent ones; ``records``: the number of each among all records of the file, from 0; ``reasons``: why a record
    (by that number) is no configuration; ``file``: where they stand. What is worked out of them is worked out in ``workers`` processes and
    kept in ``shards``, if there are any; ``progress`` is called with its name and the number done since its last call. ``origin``: the set
    that this one is a part of, and where in it (None: all of it).
    """

    configurations: np.ndarray
    hamiltonian: Hamiltonian
    temperatures: np.ndarray
    lattice: str
    records: np.ndarray
    reasons: Mapping[int, str]
    chain: np.ndarray | None = None
    file: str = ""
    model: str = "ising"
    states: int = 2
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
    def group(self) -> Symmetries | Relabelings:
        """The symmetries of couplings and field, of a set that has one Hamiltonian. Raises ``ValueError`` for others."""
        found = symmetries(self.hamiltonian, self.shape, self.lattice)
        return found if self.ising else Relabelings(found, self.model, self.states)

    def select(self, which: np.ndarray | slice) -> Spins:
        """Those at ``which`` (numbers or a range), as a set of its own."""
        chain = None if self.chain is None else self.chain[which]
        chosen = self._conditions(lambda value: value[which])
        return Spins(self.configurations[which], chosen, self.temperatures[which], self.lattice, self.records[which], {}, chain, model=self.model, states=self.states)

    @cached_property
    def parts(self) -> list[Spins]:
        """The set by Hamiltonian and temperature: within a part both are the same, couplings without an axis of samples."""
        groups = _groups([np.nan_to_num(self.temperatures[:, None], nan=-1.0), *self._tables()])
        if len(groups) == 1:
            return [replace(self, hamiltonian=self._alone(groups[0]), origin=(self, None))]
        return [replace(self.select(group), hamiltonian=self._alone(group), origin=(self, group)) for group in groups]

    @property
    def hamiltonians(self) -> list[tuple[np.ndarray, Hamiltonian]]:
        """The different Hamiltonians, couplings without an axis of samples, each with the numbers of the configurations that it belongs to."""
        return [(group, self._alone(group)) for group in _groups([np.zeros((len(self), 1)), *self._tables()])]

    def _tables(self) -> list[np.ndarray]:
        """Couplings and field that differ from sample to sample: (count, numbers)."""
        values = [*self.hamiltonian.couplings.values(), self.hamiltonian.field]
        return [np.reshape(v, (len(v), -1)) for v in values if np.ndim(v) > len(self.shape)]

    def _alone(self, group: np.ndarray) -> Hamiltonian:
        """The one Hamiltonian of these configurations."""
        return self._conditions(lambda value: _number(value[group[0]]))

    def _conditions(self, change: Callable[[np.ndarray], np.ndarray | float]) -> Hamiltonian:
        """The Hamiltonian with ``change`` made to what has an axis of samples."""
        couplings, field = self.hamiltonian.couplings, self.hamiltonian.field
        changed = {key: change(v) if np.ndim(v) > len(self.shape) else v for key, v in {**couplings, None: field}.items()}
        return Hamiltonian({d: changed[d] for d in couplings}, changed[None])


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
    if lattice not in _DIRECTIONS or len(_DIRECTIONS[lattice][0]) != len(shape):
        raise UserError(f"{place}: lattice: {lattice!r} does not have {len(shape)} sides{nearest(lattice, _DIRECTIONS)}")
    if model != "ising" and "field" in arrays:
        if np.any(arrays["field"]):  # of labels it has an axis more
            raise UserError(f"{place}: field: {model} spins are evaluated without one, got one")
        arrays = {name: value for name, value in arrays.items() if name != "field"}
    hamiltonian = _hamiltonian(arrays, place, count, shape, lattice)
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
    whole = Spins(kept, hamiltonian, temperatures, lattice, np.arange(count), {}, chain, model=model, states=states)
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


def _hamiltonian(arrays: Mapping[str, np.ndarray], place: str, count: int, shape: tuple[int, ...], lattice: str) -> Hamiltonian:
    field = _conditions(arrays, "field", place, count, shape) if "field" in arrays else 0.0
    if "coupling" not in arrays:
        nearest_only = {"chain": 1, "square": 2, "triangular": 3, "cubic": 3}[lattice]
        return Hamiltonian({_upward(d): 1.0 for d in _DIRECTIONS[lattice][:nearest_only]}, field)
    coupling = arrays["coupling"]
    number = coupling.shape[-1] if coupling.ndim else 0
    if "directions" in arrays:
        directions = arrays["directions"]
        if directions.dtype.kind not in "iu" or directions.shape != (number, len(shape)):
            raise UserError(f"{place}: directions: expected whole numbers ({number}, {len(shape)}), got {directions.dtype} {directions.shape}")
        offsets = [tuple(int(step) for step in row) for row in directions]
    else:
        offsets = _DIRECTIONS[lattice][:number]
    if len(offsets) != number or len({_upward(d) for d in offsets}) != number or not all(map(any, offsets)):
        raise UserError(f"{place}: coupling: expected one for each of {len(offsets)} different directions, got {number}")
    couplings = {}
    for k, offset in enumerate(offsets):
        value = _conditions({"coupling": coupling[..., k]}, "coupling", place, count, shape)
        if _upward(offset) != offset and np.ndim(value):  # written at the other end of the bond
            value = np.roll(value, offset, tuple(range(-len(shape), 0)))
        couplings[_upward(offset)] = value
    return Hamiltonian(couplings, field)


def _conditions(arrays: Mapping[str, np.ndarray], name: str, place: str, count: int, shape: tuple[int, ...]) -> float | np.ndarray:
    """A number where all are equal, else (L1, ..., Ld), else (count, L1, ..., Ld)."""
    value = arrays[name]
    if value.dtype.kind not in "iuf" or value.shape not in ((), shape, (1, *shape), (count, *shape)):
        raise UserError(f"{place}: {name}: expected numbers over {shape} or {(count, *shape)}, got {value.dtype} {value.shape}")
    if not np.isfinite(value).all():
        raise UserError(f"{place}: {name}: expected finite numbers, got nan or inf")
    value = value.astype(np.float64)
    if value.ndim > len(shape) and (value == value[:1]).all():
        value = value[0]
    return _number(value)


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


def _number(value: float | np.ndarray) -> float | np.ndarray:
    value = np.asarray(value)
    return float(value.flat[0]) if value.size and (value == value.flat[0]).all() else value


def _upward(offset: tuple[int, ...]) -> tuple[int, ...]:
    """The offset or its opposite, the one whose first step that is not zero is positive."""
    first = next((step for step in offset if step), 1)
    return offset if first > 0 else tuple(-step for step in offset)


def _strange(row: np.ndarray, right: np.ndarray) -> str:
    return f"{row[~right][0]:g}" if row.dtype.kind != "b" else "true or false"

