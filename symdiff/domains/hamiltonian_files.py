"""Hamiltonians in files: a .yaml of a few lines, or a .npz of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.config.strict_yaml import parse
from symdiff.domains.spin_files import read_unchecked
from symdiff.errors import UserError, nearest
from symdiff.groups.torus import Torus
from symdiff.spins.configuration import Configuration
from symdiff.spins.hamiltonian import gaussian_bonds, random_bonds, random_fields
from symdiff.storage.files import ending, read_text
from symdiff.storage.numbers import read_integer, read_real, show

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice

KEYS = ("sides", "coupling", "field", "temperature")
MAX_NUMBERS = 128
"""Numbers that one key may list: more than there are directions of bonds, or states of a spin."""
MAX_REAL = 2.0**63
MAX_SEED = 2**63 - 1
MAX_VALUES = 1 << 25
"""Couplings and fields of all Hamiltonians of a file together."""


def read_hamiltonians(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    """Read Hamiltonians, and temperatures where there are any.

    A .npz file has the arrays that ``spin_files.write`` writes, ``coupling`` and ``field`` for M Hamiltonians or, one
    axis less, for one. A .yaml file has the keys ``sides`` (a list), and perhaps ``coupling`` (one number for nearest
    neighbors, or one for every direction of half the star), ``field`` (one number for Ising spins, else a list of q)
    and ``temperature``. Disorder: ``coupling: {law: signs, share: 0.5, seed: 0}`` (J = ±1, -1 with that probability) or
    ``{law: normal, mean: 0, width: 1, seed: 0}``; ``field: {law: normal, width: 1, seed: 0}`` for Ising spins.

    Parameters
    ----------
    path : str or Path
        The file.
    domain : SpinLattice
        The lattice and the spins that it must fit.

    Returns
    -------
    list of Configuration
        Without spins where the file has none.

    Raises
    ------
    UserError
        For what does not fit the domain, before anything of the size of the lattice is made.
    """
    if ending(path, (".npz", ".yaml", ".yml")) == ".npz":
        configurations = read_unchecked(path, domain)
    else:
        configurations = [_read_yaml(path, domain)]
    if not configurations:
        raise UserError(f"{path}: expected at least one Hamiltonian, got none")
    try:
        _check_size(configurations, domain)
        for one in configurations:
            domain.codec.hamiltonian_of(one)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return configurations


def _check_size(configurations: Sequence[Configuration], domain: SpinLattice) -> None:
    first, count = domain.codec.hamiltonian_of(configurations[0]), len(configurations)
    values = count * (first.coupling.numel() + first.field.numel())
    if values > MAX_VALUES:
        raise UserError(
            f"expected at most {MAX_VALUES:,} couplings and fields, got {count:,} Hamiltonians with {values:,}"
        )


def _read_yaml(path: str | Path, domain: SpinLattice) -> Configuration:
    plain = parse(read_text(path), str(path))
    if not isinstance(plain, dict) or "sides" not in plain:
        raise UserError(f"{path}: expected a mapping with the key 'sides'")
    for key in plain:
        if key not in KEYS:
            raise UserError(f"{path}: unknown key {show(key)}{nearest(key, KEYS)}")
    return from_plain(f"{path}: ", plain, domain)


def from_plain(place: str, plain: Mapping, domain: SpinLattice) -> Configuration:
    """Make a Hamiltonian of the keys of a .yaml file, such as ``{"sides": [4, 4], "coupling": 1.0}``.

    Parameters
    ----------
    place : str
        What stands before the message of every error.
    plain : mapping
        ``sides``, and maybe ``coupling``, ``field`` (numbers, or mappings that describe how they are drawn) and
        ``temperature`` (in J/k_B).
    domain : SpinLattice
        The lattice and the spins that it is for.

    Returns
    -------
    Configuration
        Without spins; coupling and field at every site.

    Raises
    ------
    UserError
        For keys and numbers that do not fit the domain.
    """
    ising = domain.model == "ising"
    piece = _torus(place, plain["sides"], domain)
    if isinstance(plain.get("coupling"), dict):
        coupling = _draw_disorder(place, "coupling", plain["coupling"], piece)
    else:
        coupling = read_numbers(place, "coupling", plain.get("coupling", 1.0))
        half_stars = [len(piece.lattice.directions(k + 1)) // 2 for k in range(len(piece.lattice.shells))]
        if len(coupling) == 1:
            coupling = coupling.repeat(half_stars[0])
        elif len(coupling) not in half_stars:
            raise UserError(
                f"{place}coupling: expected 1 or {' or '.join(map(str, half_stars))} numbers, got {len(coupling)}"
            )
    if isinstance(plain.get("field"), dict) and ising:
        field = _draw_disorder(place, "field", plain["field"], piece)
    else:
        field = read_numbers(place, "field", plain.get("field", [0.0] * (1 if ising else domain.states)))
        if len(field) != (1 if ising else domain.states):
            raise UserError(
                f"{place}field: expected {'a number' if ising else f'{domain.states} numbers'}, got {field.tolist()}"
            )
    temperature = read_one(place, "temperature", plain["temperature"]) if "temperature" in plain else None
    shape = piece.sides if ising else (*piece.sides, domain.states)
    return Configuration(
        None, np.broadcast_to(coupling, (*piece.sides, coupling.shape[-1])), np.broadcast_to(field, shape), temperature
    )


def _torus(place: str, sides: object, domain: SpinLattice) -> Torus:
    numbers = read_numbers(place, "sides", sides)
    if (numbers % 1).any():
        raise UserError(f"{place}sides: expected whole numbers, got {numbers.tolist()}")
    try:
        return domain.piece([int(side) for side in numbers])
    except UserError as error:
        raise UserError(f"{place}sides: {error}") from error


def _draw_disorder(place: str, key: str, settings: Mapping, piece: Torus) -> np.ndarray:
    """Random couplings (L1, ..., Ld, D/2) or fields (L1, ..., Ld) from settings such as {law: signs, seed: 0}."""
    known = {
        "coupling": {"signs": {"share": 0.5}, "normal": {"mean": 0.0, "width": 1.0}},
        "field": {"normal": {"width": 1.0}},
    }[key]
    name = settings.get("law")
    if not isinstance(name, str) or name not in known:
        raise UserError(
            f"{place}{key}: law: expected {' or '.join(known)}, got {show(name)}{nearest(str(name)[:80], known)}"
        )
    numbers: dict = {**known[name], "seed": 0}
    for setting, value in settings.items():
        if setting == "law":
            continue
        if setting not in numbers:
            raise UserError(f"{place}{key}: unknown key {show(setting)}{nearest(str(setting), (*numbers, 'law'))}")
        try:
            if isinstance(value, str):
                raise UserError(f"expected a {'whole ' * (setting == 'seed')}number, got {show(value)}")
            numbers[setting] = (
                read_integer(value, -MAX_SEED, MAX_SEED) if setting == "seed" else read_real(value, -MAX_REAL, MAX_REAL)
            )
        except UserError as error:
            raise UserError(f"{place}{key}: {setting}: {error}") from error
    if not 0 <= numbers.get("share", 0) <= 1 or numbers.get("width", 0) < 0:
        raise UserError(f"{place}{key}: expected a share from 0 to 1 and a width of at least 0, got {dict(settings)}")
    generator = torch.Generator().manual_seed(numbers["seed"])
    if key == "field":
        return random_fields(piece, numbers["width"], 1, generator)[0, :, 0].reshape(piece.sides).numpy()
    if name == "signs":
        bonds = random_bonds(piece, numbers["share"], 1, generator)[0]
    else:
        bonds = gaussian_bonds(piece, numbers["mean"], numbers["width"], 1, generator)[0]
    return bonds.reshape(*piece.sides, -1).numpy()


def read_numbers(place: str, key: str, value: object) -> np.ndarray:
    """Read a number, or a list of at most ``MAX_NUMBERS``.

    Parameters
    ----------
    place, key : str
        What stands before the message of an error.
    value : object
        What a file holds.

    Returns
    -------
    ndarray
        (n,) float64.

    Raises
    ------
    UserError
        For what is no number or too large a one, and for too many of them.
    """
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= MAX_NUMBERS or any(isinstance(one, str) for one in values):
        got = f"{len(values)} of them" if len(values) > MAX_NUMBERS else show(value)
        raise UserError(f"{place}{key}: expected numbers, at most {MAX_NUMBERS}, got {got}")
    try:
        return np.array([read_real(one, -MAX_REAL, MAX_REAL) for one in values], np.float64)
    except UserError as error:
        raise UserError(f"{place}{key}: {error}") from error


def read_one(place: str, key: str, value: object) -> float:
    """Read one number.

    Parameters
    ----------
    place, key : str
        What stands before the message of an error.
    value : object
        What a file holds.

    Returns
    -------
    float
        The number.

    Raises
    ------
    UserError
        For anything else.
    """
    values = read_numbers(place, key, value)
    if len(values) != 1:
        raise UserError(f"{place}{key}: expected one number, got {values.tolist()}")
    return float(values[0])
