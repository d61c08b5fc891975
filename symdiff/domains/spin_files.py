"""Configurations and Hamiltonians in files: .npz, .yaml for Hamiltonians, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.config.strict_yaml import parse
from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import bravais
from symdiff.groups.torus import Torus, torus
from symdiff.spins.configuration import Configuration
from symdiff.spins.hamiltonian import gaussian_bonds, half, random_bonds, random_fields
from symdiff.state import Categorical, State
from symdiff.storage.arrays import read_arrays, read_headers, write_npz
from symdiff.storage.atomic import write_file
from symdiff.storage.files import ending, read_text

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice

ARRAYS = ("spins", "coupling", "field", "temperature", "directions", "lattice", "model", "states", "chain", "split")
KEYS = ("sides", "coupling", "field", "temperature")
LARGEST = 2**63
"""What no number in a file reaches: seeds are smaller."""


def write(objs: Sequence[Configuration], path: str | Path, domain: SpinLattice) -> None:
    """Write configurations: .npz with the arrays below, or a .png that shows the first of them. Raises UserError.

    ``spins`` (M, L1, ..., Ld) int8, ``coupling`` (M, L1, ..., Ld, D/2) along ``directions`` (D/2, d), ``field`` (M, L1, ..., Ld[, q]),
    ``temperature`` (M,), and ``lattice``, ``model``, ``states``.
    """
    suffix = ending(path, (".npz", ".png"))
    records = [domain.encode(obj) for obj in objs]  # every one is checked; of none, an empty file is written
    if len({obj.spins.shape for obj in objs}) > 1:
        raise UserError(f"{path}: expected lattices of one size, got {sorted({obj.spins.shape for obj in objs})}")
    if suffix == ".png":
        from symdiff.domains.spin_picture import picture

        write_file(path, picture(objs, domain))
        return
    dim = bravais(domain.lattice).dim
    arrays = {"spins": np.stack([obj.spins for obj in objs]).astype(np.int8) if records else np.zeros((0, *[0] * dim), np.int8)}
    for name in ("coupling", "field", "temperature"):
        given = [getattr(obj, name) for obj in objs]
        if name in domain.conditions and records and all(value is not None for value in given):
            arrays[name] = np.stack([np.asarray(value, np.float32) for value in given])
    if "coupling" in arrays:
        piece = torus(domain.lattice, objs[0].spins.shape)
        arrays["directions"] = piece.lattice.star(domain.directions)[half(piece, domain.directions)].numpy()
    labels = {"lattice": np.array(domain.lattice), "model": np.array(domain.model), "states": np.array(domain.states)}
    write_npz(path, {**arrays, **labels})


def read(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    """The configurations of a .npz file. Raises UserError for what does not fit the domain."""
    ending(path, (".npz",))
    found = _configurations(path, domain)
    for place, obj in enumerate(found, 1):
        try:
            domain.encode(obj)
        except UserError as error:
            raise UserError(f"{path}: configuration {place}: {error}") from error
    return found


def read_hamiltonian(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    """Hamiltonians, and the temperatures if there are any: Configurations, without spins where a file has none. Raises UserError.

    A .npz file has the arrays that ``write`` tells, ``coupling`` and ``field`` for M Hamiltonians or, one axis less, for one.
    A .yaml file has the keys ``sides`` (a list), and perhaps ``coupling`` (one number for nearest neighbors, or one for every
    direction of half the star), ``field`` (one number for Ising spins, else a list of q) and ``temperature``. Disorder: ``coupling:
    {law: signs, share: 0.5, seed: 0}`` (J = ±1, -1 with that probability) or ``{law: normal, mean: 0, width: 1, seed: 0}``; ``field: {law: normal,
    width: 1, seed: 0}`` for Ising spins.
    """
    if ending(path, (".npz", ".yaml", ".yml")) == ".npz":
        found = _configurations(path, domain)
    else:
        found = [_from_yaml(path, domain)]
    if not found:
        raise UserError(f"{path}: expected at least one Hamiltonian, got none")
    for obj in found:
        try:
            domain.hamiltonian_of(obj)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
    return found


def fixed(path: str | Path, domain: SpinLattice) -> State:
    """The spins of a .npz file, of one lattice or of M, as labels (M, N); 0 (Ising) or -1 (others) is free: the label q. Raises UserError."""
    spins = _fixed_spins(path, domain)
    free = spins == (0 if domain.model == "ising" else -1)
    try:
        labels, nodes = domain.labels(np.where(free, 1, spins)), domain.piece(spins.shape[1:]).sites
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    labels = torch.from_numpy(np.where(free, domain.states, labels).reshape(len(spins), nodes))
    return State(torch.ones(len(spins), nodes, dtype=torch.bool), {"spin": Categorical("node", domain.states + 1)}, {"spin": labels})


def _fixed_spins(path: str | Path, domain: SpinLattice) -> np.ndarray:
    ending(path, (".npz",))
    arrays, dim = _arrays(path, domain), bravais(domain.lattice).dim
    spins = arrays.get("spins")
    if spins is None or spins.dtype.kind not in "iu" or spins.ndim not in (dim, dim + 1):
        got = sorted(arrays) if spins is None else f"{spins.dtype} {spins.shape}"
        raise UserError(f"{path}: expected integers 'spins' with {dim} or {dim + 1} axes, got {got}")
    return spins if spins.ndim > dim else spins[None]


def conditions(options: Mapping[str, str], domain: SpinLattice) -> State:
    """The conditions that options say as text (see ``SpinLattice.options``). Raises UserError."""
    if "hamiltonian" in options:
        for name in ("size", "coupling", "field"):
            if name in options:
                raise UserError(f"--{name}: the file --hamiltonian says it already")
        found = read_hamiltonian(options["hamiltonian"], domain)
        given = [one.temperature for one in found]
        if "temperature" in options:
            given = [_one("--", "temperature", _parsed("temperature", options["temperature"]))] * len(found)
        known = None if any(t is None for t in given) else torch.tensor(given, dtype=torch.float64)
        try:
            together = [domain.hamiltonian_of(one) for one in found]
            together = replace(together[0], coupling=torch.cat([h.coupling for h in together]), field=torch.cat([h.field for h in together]))
            return domain.condition(together, known if "temperature" in domain.conditions else None)
        except UserError as error:
            raise UserError(f"{options['hamiltonian']}: {error}") from error
    known = () if "fixed" not in options else _fixed_spins(options["fixed"], domain).shape[1:]
    sides = options.get("size", "x".join(map(str, known or domain.sides or ())))
    if not all(part.isdecimal() and len(part) < 10 for part in sides.split("x")):
        raise UserError(f"--size: expected a number such as 32 or sides such as 32x16, got {sides or 'nothing'!r}")
    sides = [int(part) for part in sides.split("x")]
    sides = sides * bravais(domain.lattice).dim if len(sides) == 1 else sides
    try:
        values: dict = {"sides": list(domain.piece(sides).sides)}
    except UserError as error:
        raise UserError(f"--size: {error}") from error
    for name in ("coupling", "field", "temperature"):
        if name in options:
            values[name] = _parsed(name, options[name]).tolist()
    one = _from_plain("--", values, domain)
    return domain.condition(domain.hamiltonian_of(one), one.temperature)


def _parsed(name: str, text: str) -> np.ndarray:
    try:
        return np.array([float(part) for part in text.split(",")])
    except ValueError as error:
        raise UserError(f"--{name}: expected numbers with commas between, got {text!r}") from error


def holds_spins(path: str | Path) -> bool:
    """Whether a .npz file is one of spins or a Hamiltonian, told by the names of its arrays. Raises UserError for what is no such file."""
    return not {"spins", "coupling", "field", "lattice"}.isdisjoint(read_headers(path))


def named_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file, all known by name. Raises UserError."""
    arrays = read_arrays(path)
    for name in arrays:
        if name not in ARRAYS:
            raise UserError(f"{path}: unknown array {name!r}{nearest(name, ARRAYS)}")
    return arrays


def _arrays(path: str | Path, domain: SpinLattice) -> dict[str, np.ndarray]:
    """``named_arrays`` of the domain's lattice and model."""
    arrays = named_arrays(path)
    for name in ("lattice", "model", "states"):
        if name in arrays and (arrays[name].ndim or arrays[name].item() != getattr(domain, name)):
            raise UserError(f"{path}: {name}: the model has {getattr(domain, name)!r}, the file {arrays[name].tolist()!r}")
    return arrays


def _configurations(path: str | Path, domain: SpinLattice) -> list[Configuration]:
    arrays = _arrays(path, domain)
    try:
        batched = stacked(arrays, domain)
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


def stacked(arrays: Mapping[str, np.ndarray], domain: SpinLattice) -> dict[str, np.ndarray]:
    """Spins, couplings, fields and temperatures with M entries, or 1 for all, on a first axis: of one lattice. Raises UserError."""
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
    piece = torus(domain.lattice, coupling.shape[1:-1])
    try:
        ours = piece.lattice.star(2 * coupling.shape[-1])[half(piece, 2 * coupling.shape[-1])].tolist()
    except ValueError as error:
        raise UserError(f"coupling: {error}") from error
    if directions.tolist() != ours:
        raise UserError(f"directions: expected {ours}, got {directions.tolist()}")


def _from_yaml(path: str | Path, domain: SpinLattice) -> Configuration:
    plain = parse(read_text(path), str(path))
    if not isinstance(plain, dict) or "sides" not in plain:
        raise UserError(f"{path}: expected a mapping with the key 'sides'")
    for key in plain:
        if key not in KEYS:
            raise UserError(f"{path}: unknown key {key!r}{nearest(key, KEYS)}")
    return _from_plain(f"{path}: ", plain, domain)


def _from_plain(place: str, plain: Mapping, domain: SpinLattice) -> Configuration:
    """``place`` stands before a key in what an error says."""
    sides = _numbers(place, "sides", plain["sides"])
    if (sides % 1).any():
        raise UserError(f"{place}sides: expected whole numbers, got {sides.tolist()}")
    try:
        piece = domain.piece([int(side) for side in sides])
    except UserError as error:
        raise UserError(f"{place}sides: {error}") from error
    if isinstance(plain.get("coupling"), dict):
        coupling = _disordered(place, "coupling", plain["coupling"], piece)
    else:
        coupling = _numbers(place, "coupling", plain.get("coupling", 1.0))
        if len(coupling) == 1:
            coupling = coupling.repeat(len(piece.lattice.shells[0]) // 2)
    if isinstance(plain.get("field"), dict) and domain.model == "ising":
        field = _disordered(place, "field", plain["field"], piece)
    else:
        field = _numbers(place, "field", plain.get("field", [0.0] * (1 if domain.model == "ising" else domain.states)))
    if field.ndim == 1 and len(field) != (1 if domain.model == "ising" else domain.states):
        raise UserError(f"{place}field: expected {'a number' if domain.model == 'ising' else f'{domain.states} numbers'}, got {field.tolist()}")
    temperature = None if "temperature" not in plain else _one(place, "temperature", _numbers(place, "temperature", plain["temperature"]))
    shape = piece.sides if domain.model == "ising" else (*piece.sides, domain.states)
    return Configuration(None, np.broadcast_to(coupling, (*piece.sides, coupling.shape[-1])), np.broadcast_to(field, shape), temperature)


def _disordered(place: str, key: str, law: Mapping, piece: Torus) -> np.ndarray:
    """Random couplings (L1, ..., Ld, D/2) or fields (L1, ..., Ld) by a law such as {law: signs, seed: 0}."""
    laws = {"coupling": {"signs": {"share": 0.5}, "normal": {"mean": 0.0, "width": 1.0}}, "field": {"normal": {"width": 1.0}}}[key]
    name = law.get("law")
    if not isinstance(name, str) or name not in laws:
        raise UserError(f"{place}{key}: law: expected {' or '.join(laws)}, got {name!r}{nearest(str(name), laws)}")
    settings = {**laws[name], "seed": 0, **{k: v for k, v in law.items() if k != "law"}}
    for k, value in settings.items():
        if k not in (*laws[name], "seed"):
            raise UserError(f"{place}{key}: unknown key {k!r}{nearest(str(k), (*laws[name], 'seed', 'law'))}")
        if isinstance(value, bool) or not isinstance(value, int if k == "seed" else int | float) or not abs(value) < LARGEST:
            raise UserError(f"{place}{key}: {k}: expected a {'whole ' * (k == 'seed')}number, got {str(value)[:80]}")
    if not 0 <= settings.get("share", 0) <= 1 or settings.get("width", 0) < 0:
        raise UserError(f"{place}{key}: expected a share from 0 to 1 and a width of at least 0, got {dict(law)}")
    generator = torch.Generator().manual_seed(settings["seed"])
    if key == "field":
        found = random_fields(piece, settings["width"], 1, generator)[0, :, 0]
        return found.reshape(piece.sides).numpy()
    if name == "signs":
        found = random_bonds(piece, settings["share"], 1, generator)[0]
    else:
        found = gaussian_bonds(piece, settings["mean"], settings["width"], 1, generator)[0]
    return found.reshape(*piece.sides, -1).numpy()


def _numbers(place: str, key: str, value: object) -> np.ndarray:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < LARGEST for v in values):
        raise UserError(f"{place}{key}: expected numbers, got {str(value)[:80]}")
    return np.array(values, np.float64)


def _one(place: str, key: str, values: np.ndarray) -> float:
    if len(values) != 1:
        raise UserError(f"{place}{key}: expected one number, got {values.tolist()}")
    return float(values[0])
