"""Configurations in files: .npz, and pictures of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symdiff.domains.file_kinds import AS_IT_IS, FileKind, Wanted
from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import bravais
from symdiff.groups.torus import torus
from symdiff.spins.configuration import Configuration
from symdiff.spins.hamiltonian import half
from symdiff.storage.arrays import ENDINGS, read_arrays, read_headers, write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending
from symdiff.storage.growing import Growing, split
from symdiff.storage.numbers import show

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice

ARRAYS = ("spins", "coupling", "field", "temperature", "directions", "lattice", "model", "states", "chain", "split")


def write(objs: Iterable[Configuration], path: str | Path, domain: SpinLattice) -> None:
    """Write configurations: .npz with the arrays below, or a .png that shows the first of them.

    ``spins`` (M, L1, ..., Ld) int8, ``coupling`` (M, L1, ..., Ld, D/2) along ``directions`` (D/2, d), ``field`` (M, L1,
    ..., Ld[, q]), ``temperature`` (M,), and ``lattice``, ``model``, ``states``.

    Parameters
    ----------
    objs : iterable of Configuration
        With spins; they may be made while they are written.
    path : str or Path
        The file, whose ending chooses the format.
    domain : SpinLattice
        The model that they must fit.

    Raises
    ------
    UserError
        For a configuration that does not fit the model, and where the file cannot be written.
    """
    suffix = ending(path, (".npz", ".png"))
    if suffix == ".png":
        from symdiff.domains.spin_picture import MOST, picture

        write_file(path, picture(list(islice(_check_each(objs, domain, path), MOST)), domain))
        return
    with Growing(Path(path).parent) as growing:
        names = [name for name in ("coupling", "field", "temperature") if name in domain.conditions]
        for portion in split(_check_each(objs, domain, path)):
            growing.append("spins", np.stack([np.asarray(obj.spins) for obj in portion]).astype(np.int8))
            names = [name for name in names if all(getattr(obj, name) is not None for obj in portion)]
            for name in names:
                growing.append(name, np.stack([np.asarray(getattr(obj, name), np.float32) for obj in portion]))
        empty = np.zeros((0, *[0] * bravais(domain.lattice).dim), np.int8)
        arrays = {"spins": empty, **{name: growing[name] for name in ("spins", *names) if name in growing}}
        if "coupling" in arrays:
            piece = torus(domain.lattice, arrays["spins"].shape[1:])
            arrays["directions"] = piece.lattice.star(domain.directions)[half(piece, domain.directions)].numpy()
        labels = {
            "lattice": np.array(domain.lattice),
            "model": np.array(domain.model),
            "states": np.array(domain.states),
        }
        write_npz(path, {**arrays, **labels})


def _check_each(objs: Iterable[Configuration], domain: SpinLattice, path: str | Path) -> Iterator[Configuration]:
    """The configurations, each of which fits the domain and is as large as the first."""
    first = None
    for obj in objs:
        domain.encode(obj)
        sides = np.asarray(obj.spins).shape
        first = first or sides
        if sides != first:
            raise UserError(f"{path}: expected lattices of one size, got {first} and {sides}")
        yield obj


def read(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    """Read the configurations of a .npz file.

    Parameters
    ----------
    path : str or Path
        The file.
    domain : SpinLattice
        The model that they must fit.

    Returns
    -------
    list of Configuration
        With spins.

    Raises
    ------
    UserError
        For a file that cannot be read, and a configuration that does not fit the model.
    """
    ending(path, (".npz",))
    configurations = read_unchecked(path, domain)
    for place, obj in enumerate(configurations, 1):
        try:
            domain.encode(obj)
        except UserError as error:
            raise UserError(f"{path}: configuration {place}: {error}") from error
    return configurations


def holds_spins(path: str | Path, wanted: Wanted = AS_IT_IS) -> bool:
    """Tell whether a file is one of spins or a Hamiltonian, by the names of its arrays.

    Parameters
    ----------
    path : str or Path
        The file.
    wanted : Wanted
        Not used: no such file could be of another kind.

    Returns
    -------
    bool
        True for spins and Hamiltonians.

    Raises
    ------
    UserError
        Where it cannot be read.
    """
    if not Path(path).name.lower().endswith(ENDINGS):
        return False
    return not {"spins", "coupling", "field", "lattice"}.isdisjoint(read_headers(path))


KIND = FileKind("lattice", "spins", holds_spins)


def read_named(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz file of spins, all known by name.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to ndarray
        The arrays, whose shapes are not checked.

    Raises
    ------
    UserError
        For a file that cannot be read, or an array of an unknown name.
    """
    arrays = read_arrays(path)
    for name in arrays:
        if name not in ARRAYS:
            raise UserError(f"{path}: unknown array {name!r}{nearest(name, ARRAYS)}")
    return arrays


def read_matching(path: str | Path, domain: SpinLattice) -> dict[str, np.ndarray]:
    """Read the arrays of a file that is for the domain's lattice and model.

    Parameters
    ----------
    path : str or Path
        A .npz file.
    domain : SpinLattice
        The lattice, the model and the number of states.

    Returns
    -------
    dict of str to ndarray
        As ``read_named`` returns them.

    Raises
    ------
    UserError
        For a file of another lattice or model.
    """
    arrays = read_named(path)
    for name in ("lattice", "model", "states"):
        if name in arrays and (arrays[name].ndim or arrays[name].item() != getattr(domain, name)):
            raise UserError(
                f"{path}: {name}: the model has {getattr(domain, name)!r}, the file {show(arrays[name].tolist())}"
            )
    return arrays


def read_unchecked(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    """Read the entries of a .npz file, with or without spins, whose values are not looked at.

    Parameters
    ----------
    path : str or Path
        The file.
    domain : SpinLattice
        The lattice and the model.

    Returns
    -------
    list of Configuration
        One for each entry.

    Raises
    ------
    UserError
        For a file that cannot be read, or is of another lattice or model.
    """
    arrays = read_matching(path, domain)
    try:
        batched = stack(arrays, domain)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error

    def entry(name: str, k: int) -> np.ndarray | None:
        return batched[name][k % len(batched[name])] if name in batched else None

    count = max(map(len, batched.values()))
    temperatures = [entry("temperature", k) for k in range(count)]
    return [
        Configuration(entry("spins", k), entry("coupling", k), entry("field", k), None if t is None else float(t))
        for k, t in enumerate(temperatures)
    ]


def stack(arrays: Mapping[str, np.ndarray], domain: SpinLattice) -> dict[str, np.ndarray]:
    """Give the spins, couplings, fields and temperatures of a file a first axis of entries.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As ``read_named`` returns them.
    domain : SpinLattice
        The lattice and the model, which decide how many axes each has.

    Returns
    -------
    dict of str to ndarray
        Each with M entries, or 1 for all, of one lattice.

    Raises
    ------
    UserError
        For arrays of other shapes.
    """
    dim = bravais(domain.lattice).dim
    axes = {"spins": dim, "coupling": dim + 1, "field": dim + (domain.model != "ising"), "temperature": 0}
    batched = {}
    for name, expected in axes.items():
        if name not in arrays:
            continue
        value = arrays[name]
        if value.dtype.kind not in "iuf" or value.ndim not in (expected, expected + 1):
            raise UserError(f"{name}: expected numbers with {expected + 1} axes, got {value.dtype} {value.shape}")
        batched[name] = value if value.ndim == expected + 1 else value[None]
    sides = {name: value.shape[1 : 1 + dim] for name, value in batched.items() if axes[name]}
    if len(set(sides.values())) != 1:
        raise UserError(f"expected spins, coupling or field of one lattice, got {sides or sorted(arrays)}")
    count = max(map(len, batched.values()))
    for name, value in batched.items():
        if len(value) not in (1, count):
            raise UserError(f"{name}: expected 1 or {count} entries, got {len(value)}")
    if "directions" in arrays and "coupling" in batched:
        _check_directions(arrays["directions"], batched["coupling"], domain)
    return batched


def _check_directions(directions: np.ndarray, coupling: np.ndarray, domain: SpinLattice) -> None:
    try:
        piece = torus(domain.lattice, coupling.shape[1:-1])
        ours = piece.lattice.star(2 * coupling.shape[-1])[half(piece, 2 * coupling.shape[-1])].tolist()
    except ValueError as error:
        raise UserError(f"coupling: {error}") from error
    if directions.tolist() != ours:
        raise UserError(f"directions: expected {ours}, got {show(directions.tolist())}")
