"""Spins in .npz files -> a data set, whose conditions are what the files say of every configuration."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from symdiff.data.columns import PropertyColumns, read_attributes
from symdiff.data.dataset import Dataset
from symdiff.data.importer import ImportSettings, imports
from symdiff.data.molecules import split_by_content
from symdiff.data.parsing import Progress
from symdiff.domains.lattice import CONDITIONS, SpinLattice
from symdiff.domains.spin_columns import SpinColumns, read_columns
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.spins.hamiltonian import Hamiltonian, half, ising_field
from symdiff.storage.arrays import read_arrays

LABELS = ("lattice", "model", "states")
"""What a file says once for all its configurations."""
PORTION = 1 << 22
"""Bonds that are looked at together."""


def configurations(
    paths: Sequence[Path], meta: Mapping, progress: Progress = None, properties: PropertyColumns | None = None
) -> Dataset:
    """Make a data set in memory of files of spins, all of them with the same arrays and on one lattice.

    ``coupling``, ``field`` and ``temperature`` are conditions where the files have them, of each configuration or one
    for all. The split is ``split`` (M,) of 0, 1, 2 where the files have it, else by a hash of the content. Broken
    configurations are left out and counted by reason in ``meta["left_out"]``; equal ones stay, ``meta["duplicates"]``
    counts them.

    Parameters
    ----------
    paths : sequence of Path
        Files (.npz) of spins, at least one.
    meta : mapping
        What the data set says of itself: ``name``, ``source``.
    progress : callable, optional
        Called with how many configurations were read now, and how many there are.
    properties : PropertyColumns, optional
        The properties that are kept.

    Returns
    -------
    Dataset
        Of a ``SpinLattice``.

    Raises
    ------
    UserError
        Where a file cannot be read, files differ, or no configuration is sound.
    """
    passed = () if properties is None else properties.columns
    opened = [_open(path, passed) for path in paths]
    domain, first, _ = opened[0]
    for path, (other, columns, _) in zip(paths, opened, strict=True):
        mine = _describe(other, columns)
        for key, wanted in _describe(domain, first).items():
            if mine[key] != wanted:
                raise UserError(f"{path}: {key}: expected {wanted!r} as in {paths[0]}, got {mine[key]!r}")
    columns = (
        first if len(opened) == 1 else {name: np.concatenate([one[name] for _, one, _ in opened]) for name in first}
    )
    reasons = [reason for _, _, some in opened for reason in some]
    if properties is not None and properties.asked:
        broken = properties.take_all([row for path in paths for row in read_attributes(path, properties.columns) or ()])
        if len(broken) != len(reasons):
            raise UserError(f"{paths[0]}: {properties.columns[0]}: expected {len(reasons)} values, got {len(broken)}")
        reasons = [reason or other for reason, other in zip(reasons, broken, strict=True)]
    left_out = dict(Counter(reason.partition(":")[0] for reason in reasons if reason).most_common())
    sound = np.flatnonzero([not reason for reason in reasons])
    if not len(sound):
        raise UserError(f"{paths[0]}: no configuration could be read ({next(filter(None, reasons))})")
    sites = domain.piece(columns["spins"].shape[1:]).sites
    size = max(1, PORTION // (sites * domain.directions))
    parts = []
    for rows in np.split(sound, range(size, len(sound), size)):
        parts.append(_values({name: value[rows] for name, value in columns.items()}, domain))
        if progress is not None:
            progress(len(rows), len(sound))
    values = {name: np.concatenate([part[name] for part in parts]) for name in domain.schema}
    marks = _marks(values)
    arrays = {
        "num_nodes": np.full(len(sound), sites, np.int32),
        "num_edges": np.zeros(len(sound), np.int32),
        "edges": np.zeros((0, 2), np.int16),
        "split": columns["split"][sound].astype(np.uint8) if "split" in columns else split_by_content(marks),
    }
    for name, field in domain.schema.items():
        arrays[name] = values[name] if field.axes == "whole" else values[name].reshape(-1, *field.trailing)
    report = {"rows": len(columns["spins"]), "left_out": left_out, "duplicates": len(marks) - len(set(marks))}
    if properties is not None and properties.asked:
        valid = np.array([not reason for reason in reasons], bool)
        joined, arrays, missing = properties.join(domain, arrays, valid)
        return Dataset.from_arrays(joined, arrays, {"order": "source", **meta, **report, **missing})
    return Dataset.from_arrays(domain, arrays, {"order": "source", **meta, **report})


@imports("lattice")
def import_configurations(paths: Sequence[Path], meta: Mapping, settings: ImportSettings) -> Dataset:
    """Make a data set of files of spins.

    Parameters
    ----------
    paths : sequence of Path
        Files (.npz) of spins, at least one.
    meta : mapping
        What the data set says of itself.
    settings : ImportSettings
        Of which ``progress`` and ``properties`` are used.

    Returns
    -------
    Dataset
        As ``configurations`` returns it.
    """
    return configurations(paths, meta, settings.progress, PropertyColumns(settings.properties))


def _open(path: Path, passed: Sequence[str] = ()) -> tuple[SpinLattice, dict[str, np.ndarray], list[str]]:
    """What a file holds.

    Its domain, the arrays with an entry for each of M configurations, and why each is broken, "" where it is not.
    The arrays ``passed`` are those of properties.
    """
    arrays = {name: array for name, array in read_arrays(path).items() if name not in passed}
    spin_columns = read_columns(arrays, str(path))
    if not len(spin_columns):
        raise UserError(f"{path}: no spins")
    try:
        return *_fit(spin_columns), [spin_columns.reasons.get(k, "") for k in range(len(spin_columns))]
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _fit(spin_columns: SpinColumns) -> tuple[SpinLattice, dict[str, np.ndarray]]:
    conditions = dict(spin_columns.conditions)
    shells = _shells(spin_columns.lattice, 2 * conditions["coupling"].shape[-1]) if "coupling" in conditions else 1
    sides = list(spin_columns.sides)
    domain = SpinLattice(
        lattice=spin_columns.lattice,
        model=spin_columns.model,
        states=spin_columns.states,
        sides=sides if len(set(sides)) > 1 else None,
        shells=shells,
        conditions=[name for name in CONDITIONS if name in conditions],
    )
    piece = domain.piece(sides)
    if "coupling" in conditions:
        conditions["coupling"] = spin_columns.along(
            piece.lattice.star(domain.directions)[half(piece, domain.directions)].numpy()
        )
    columns = {"spins": spin_columns.spins, **conditions}
    columns = {name: np.broadcast_to(value, (len(spin_columns), *value.shape[1:])) for name, value in columns.items()}
    return domain, columns if spin_columns.split is None else {**columns, "split": spin_columns.split}


def _shells(lattice: str, directions: int) -> int:
    """How many shells of neighbors have so many directions. Raises UserError where that is none or a part of one."""
    neighborhood = bravais(lattice)
    try:
        neighborhood.star(directions)
    except ValueError as error:
        raise UserError(f"coupling: {error}") from error
    shells = range(1, len(neighborhood.shells) + 1)
    return next(k for k in shells if len(neighborhood.directions(k)) == directions)


def _describe(domain: SpinLattice, columns: Mapping[str, np.ndarray]) -> dict[str, object]:
    """What files must have in common."""
    sides = columns["spins"].shape[1:]
    return {
        **{name: getattr(domain, name) for name in LABELS},
        "sides": list(sides),
        "arrays": sorted(columns),
        "shells": domain.shells,
    }


def _values(columns: Mapping[str, np.ndarray], domain: SpinLattice) -> dict[str, np.ndarray]:
    """The values of the domain's fields for sound configurations, (M, ...) each."""
    spins, piece = columns["spins"].astype(np.int16), domain.piece(columns["spins"].shape[1:])
    given = {
        name: torch.from_numpy(columns[name].astype(np.float64)).reshape(len(spins), piece.sites, -1)
        for name in ("coupling", "field")
        if name in columns
    }
    field = given.get("field")
    field = ising_field(field[..., 0]) if field is not None and domain.model == "ising" else field
    hamiltonian = Hamiltonian.make(piece, domain.interaction, given.get("coupling", (1.0,)), field)
    temperature = torch.from_numpy(columns["temperature"].astype(np.float64)) if "temperature" in columns else None
    condition = domain.condition(hamiltonian, temperature)
    labels = domain.codec.labels(spins.astype(np.int8)).reshape(len(spins), piece.sites).astype(np.uint8)
    return {**{name: condition[name].numpy() for name in domain.conditions}, "spin": labels}


def _marks(values: Mapping[str, np.ndarray]) -> list[bytes]:
    """A 16-byte hash of every configuration and its conditions: equal for those that are stored identically."""
    rows = zip(*(value.reshape(len(value), -1) for value in values.values()), strict=True)
    return [hashlib.blake2b(b"|".join(part.tobytes() for part in row), digest_size=16).digest() for row in rows]
