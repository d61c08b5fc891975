"""Spins in files of arrays, with what they belong to: one reader for training data and for samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import Bravais, bravais
from symdiff.groups.torus import Torus, torus
from symdiff.spins.hamiltonian import half, interaction
from symdiff.storage.numbers import show
from symdiff.storage.splits import read_splits

ARRAYS = ("spins", "coupling", "field", "temperature", "directions", "lattice", "model", "states", "chain", "split")
MAX_SITES = MAX_STEP = 1 << 20
"""Of a lattice, and that a bond may reach."""
_BY_AXES = {1: "chain", 2: "square", 3: "cubic"}
"""The lattice of a file that does not name it."""


@dataclass(frozen=True)
class SpinColumns:
    """M records of spins on one lattice, and what a file says of each of them.

    Parameters
    ----------
    lattice, model : str
        Such as "square" and "ising".
    states : int
        q, 2 for Ising spins.
    spins : numpy.ndarray
        (M, L1, ..., Ld) as the file has them; those of broken records may be anything.
    conditions : mapping of str to numpy.ndarray
        Numbers with 1 or M entries on the first axis, where the file has them: ``coupling`` (., L1, ..., Ld, D),
        ``field`` (., L1, ..., Ld) or for other than Ising spins (., L1, ..., Ld, q), ``temperature`` (.,).
    directions : numpy.ndarray
        (D, d), of the couplings.
    chain : numpy.ndarray or None
        (M,), the number of the chain of each.
    split : numpy.ndarray or None
        (M,) of 0, 1, 2.
    reasons : mapping of int to str
        Why a record, by its number from 0, is broken.
    """

    lattice: str
    model: str
    states: int
    spins: np.ndarray
    conditions: Mapping[str, np.ndarray]
    directions: np.ndarray
    chain: np.ndarray | None
    split: np.ndarray | None
    reasons: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.spins)

    @property
    def sides(self) -> tuple[int, ...]:
        """L1, ..., Ld."""
        return self.spins.shape[1:]

    def along(self, directions: np.ndarray) -> np.ndarray:
        """Take the couplings along other directions, each one of the file's or its opposite.

        Parameters
        ----------
        directions : ndarray
            (D, d) int, the directions that are wanted.

        Returns
        -------
        ndarray
            (., L1, ..., Ld, D), the coupling of each site along each.

        Raises
        ------
        UserError
            For a direction that the file does not have.
        """
        own = {tuple(one): k for k, one in enumerate(self.directions.tolist())}
        coupling, by_direction = self.conditions["coupling"], []
        for direction in map(tuple, directions.tolist()):
            opposite = tuple(-step for step in direction)
            if direction in own:
                by_direction.append(coupling[..., own[direction]])
            elif opposite in own:  # written at the other end of the bond
                by_direction.append(np.roll(coupling[..., own[opposite]], opposite, tuple(range(1, 1 + len(opposite)))))
            else:
                raise UserError(f"directions: expected {directions.tolist()}, got {show(self.directions.tolist())}")
        return np.stack(by_direction, -1)


def read_columns(arrays: Mapping[str, np.ndarray], place: str) -> SpinColumns:
    """The spins of the arrays of a file.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        ``spins`` (M, L1, ..., Ld), or without M where ``lattice`` says so: ±1 of Ising spins, else labels from 0.
        ``lattice``: chain, square, triangular or cubic, without it the first, second or last by the number of sides.
        ``model``: ising, potts or clock, without it ising; ``states``. ``coupling`` along ``directions`` (D, d),
        without these along half the star of the lattice; ``field``; ``temperature`` in J/k_B: each for all records, or
        with M on a first axis; couplings and fields also alike on all sites. ``chain`` and ``split`` (M,).
    place : str
        The name of the file.

    Returns
    -------
    SpinColumns
        A record with other values than spins have, or with a condition that is no number, keeps its place and costs no
        other.

    Raises
    ------
    UserError
        Where the arrays do not belong together.
    """
    try:
        return _read(arrays)
    except (UserError, ValueError) as error:
        raise UserError(f"{place}: {error}") from error


def _read(arrays: Mapping[str, np.ndarray]) -> SpinColumns:
    for name in arrays:
        if name not in ARRAYS:
            raise UserError(f"unknown array {show(name)}{nearest(str(name)[:40], ARRAYS)}")
    if "spins" not in arrays:
        raise UserError(f"expected an array 'spins', got {', '.join(arrays) or 'none'}")
    spins = arrays["spins"]
    if spins.dtype.kind not in "biuf":
        raise UserError(f"spins: expected numbers, got {spins.dtype}")
    model = _word(arrays, "model", "ising")
    states = _states(arrays, model)
    interaction(model, states)
    lattice = bravais(_word(arrays, "lattice", _BY_AXES.get(spins.ndim - 1, "square")))
    if spins.ndim not in (lattice.dim, lattice.dim + 1) or ("lattice" not in arrays and spins.ndim not in (2, 3, 4)):
        raise UserError(
            f"spins: expected numbers with {lattice.dim + 1} axes, (count, L1, ..., Ld), got {spins.dtype} "
            f"{spins.shape}"
        )
    spins = spins if spins.ndim > lattice.dim else spins[None]
    sides = spins.shape[1:]
    if math.prod(sides) > MAX_SITES:
        raise UserError(f"spins: at most {MAX_SITES} sites are read, got {math.prod(sides)}")
    piece, count = torus(lattice.kind, sides), len(spins)
    conditions = {
        name: _condition(arrays[name], name, count, sides, model, states)
        for name in ("coupling", "field", "temperature")
        if name in arrays
    }
    number = conditions["coupling"].shape[-1] if "coupling" in conditions else len(lattice.directions(1)) // 2
    if "directions" in arrays:
        directions = _directions(arrays["directions"], number, lattice)
    else:
        directions = _half_star(lattice, piece, number)
    values, allowed = ((-1, 1), "-1 or 1") if model == "ising" else (tuple(range(states)), f"0 to {states - 1}")
    reasons = {**_bad_conditions(conditions, count), **_bad_spins(spins, values, allowed)}
    chain = None if "chain" not in arrays else _numbers(arrays["chain"], "chain", count)
    split = read_splits(arrays["split"], count) if "split" in arrays else None
    return SpinColumns(
        lattice.kind, model, states, spins, conditions, directions, chain, split, dict(sorted(reasons.items()))
    )


def _word(arrays: Mapping[str, np.ndarray], name: str, default: str) -> str:
    if name not in arrays:
        return default
    if arrays[name].ndim or arrays[name].dtype.kind != "U":
        raise UserError(f"{name}: expected one word, got {show(arrays[name].tolist())}")
    return arrays[name].item()


def _states(arrays: Mapping[str, np.ndarray], model: str) -> int:
    if "states" not in arrays:
        if model != "ising":
            raise UserError(f"states: expected the number of states of {model} spins, got none")
        return 2
    if arrays["states"].ndim or arrays["states"].dtype.kind not in "iu":
        raise UserError(f"states: expected one integer, got {show(arrays['states'].tolist())}")
    return int(arrays["states"])


def _condition(value: np.ndarray, name: str, count: int, sides: tuple[int, ...], model: str, states: int) -> np.ndarray:
    """The values with 1 or M entries on the first axis, and an entry for every site."""
    if value.dtype.kind not in "iuf":
        raise UserError(f"{name}: expected numbers, got {value.dtype}")
    trailing = {"coupling": value.shape[-1:], "field": () if model == "ising" else (states,), "temperature": ()}[name]
    if name == "field" and model != "ising" and value.ndim and value.shape[-1] != states:
        raise UserError(f"field: expected {states} numbers a site, got {value.shape[-1]}")
    every = (*(() if name == "temperature" else sides), *trailing)
    if value.shape == trailing:
        return np.broadcast_to(value, (1, *every))
    if value.shape == every:
        return value[None]
    if value.shape[1:] != every:
        raise UserError(
            f"{name}: expected numbers over {sides} or {(count, *sides)}, as spins of one lattice have them, got "
            f"{value.shape}"
        )
    if len(value) not in (1, count):
        raise UserError(f"{name}: expected 1 or {count} entries, got {len(value)}")
    return value


def _directions(value: np.ndarray, number: int, lattice: Bravais) -> np.ndarray:
    if value.dtype.kind not in "iu" or value.shape != (number, lattice.dim):
        raise UserError(
            f"directions: expected whole numbers {(number, lattice.dim)}, one row for each coupling of a site, got "
            f"{value.dtype} {value.shape}"
        )
    rows = [tuple(row) for row in value.tolist()]
    if (
        not number
        or not all(map(any, rows))
        or np.abs(value).max() > MAX_STEP
        or len({max(row, tuple(-step for step in row)) for row in rows}) != number
    ):
        raise UserError(
            f"directions: expected different ones, none of them the opposite of another, got {show(value.tolist())}"
        )
    return value.astype(np.int64)


def _half_star(lattice: Bravais, piece: Torus, number: int) -> np.ndarray:
    try:
        return lattice.star(2 * number)[half(piece, 2 * number)].numpy()
    except ValueError as error:
        raise UserError(f"coupling: {error}") from error


def _bad_conditions(conditions: Mapping[str, np.ndarray], count: int) -> dict[int, str]:
    """Reasons of records with a condition that is no number of single precision, or no temperature.

    Raises UserError where it is one for all.
    """
    reasons: dict[int, str] = {}
    for name, value in conditions.items():
        with np.errstate(over="ignore"):
            sound = (
                np.isfinite(value.astype(np.float32, copy=False))
                if value.dtype.kind == "f"
                else np.ones(value.shape, bool)
            )
        expected = "a finite number of single precision"
        if name == "temperature":
            sound, expected = sound & (value > 0), "a number above 0"
        flat = sound.reshape(len(value), math.prod(value.shape[1:]))
        for k in np.flatnonzero(~flat.all(1)).tolist():
            reason = f"{name}: expected {expected}, got {value[k].reshape(-1)[~flat[k]][0]:g}"
            if len(value) == 1 and count > 1:
                raise UserError(reason)
            reasons.setdefault(k, reason)
    return reasons


def _bad_spins(spins: np.ndarray, values: tuple[int, ...], allowed: str) -> dict[int, str]:
    sound = (np.isin(spins, values) & (spins.dtype.kind != "b")).reshape(len(spins), math.prod(spins.shape[1:]))
    flat, reasons = spins.reshape(sound.shape), {}
    for k in np.flatnonzero(~sound.all(1)).tolist():
        strange = "true or false" if spins.dtype.kind == "b" else f"{flat[k][~sound[k]][0]:g}"
        reasons[k] = f"value: {strange} where {allowed} is expected"
    return reasons


def _numbers(value: np.ndarray, name: str, count: int) -> np.ndarray:
    if value.dtype.kind not in "iuf" or value.shape not in ((), (1,), (count,)):
        raise UserError(f"{name}: expected one number or {count}, got {value.dtype} {value.shape}")
    if not np.isfinite(value).all():
        raise UserError(f"{name}: expected finite numbers, got nan or inf")
    return np.broadcast_to(value.astype(np.float64), (count,))
