"""Spins in .npz files -> a data set, whose conditions are what the files say of every configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from symdiff.data.dataset import Dataset
from symdiff.data.molecules import split_by_content
from symdiff.data.parsing import Progress
from symdiff.domains.lattice import CONDITIONS, SpinLattice
from symdiff.domains.spin_files import named_arrays, stacked
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.spins.hamiltonian import Hamiltonian, ising_field

LABELS = {"lattice": "U", "model": "U", "states": "iu"}
"""What a file says once for all its configurations, and the kind of array that says it."""
PORTION = 1 << 22
"""Bonds that are looked at together."""


def configurations(paths: Sequence[Path], meta: Mapping, progress: Progress = None) -> Dataset:
    """A data set in memory of files that ``SpinLattice.read`` reads, all of them with the same arrays and on one lattice.

    ``coupling``, ``field`` and ``temperature`` are conditions where the files have them, of each configuration or one for all. The split
    is ``split`` (M,) of 0, 1, 2 where the files have it, else by a hash of the content. Broken configurations are left out and counted by
    reason in ``meta["left_out"]``; equal ones stay, ``meta["duplicates"]`` counts them. Raises UserError.
    """
    opened = [_opened(path) for path in paths]
    domain, first = opened[0]
    for path, (other, columns) in zip(paths, opened, strict=True):
        mine = _described(other, columns)
        for key, wanted in _described(domain, first).items():
            if mine[key] != wanted:
                raise UserError(f"{path}: {key}: expected {wanted!r} as in {paths[0]}, got {mine[key]!r}")
    columns = {name: np.concatenate([one[name] for _, one in opened]) for name in first}
    reasons = _reasons(columns, domain)
    left_out = {reason: int(broken.sum()) for reason, broken in reasons.items() if broken.any()}
    kept = np.nonzero(~np.any(list(reasons.values()), 0))[0]
    if not len(kept):
        raise UserError(f"{paths[0]}: no configuration could be read ({', '.join(left_out)})")
    sites = domain.piece(columns["spins"].shape[1:]).sites
    size = max(1, PORTION // (sites * domain.directions))
    parts = []
    for rows in np.split(kept, range(size, len(kept), size)):
        parts.append(_values({name: value[rows] for name, value in columns.items()}, domain))
        if progress is not None:
            progress(len(rows), len(kept))
    values = {name: np.concatenate([part[name] for part in parts]) for name in domain.schema}
    marks = _marks(values)
    arrays = {
        "num_nodes": np.full(len(kept), sites, np.int32),
        "num_edges": np.zeros(len(kept), np.int32),
        "edges": np.zeros((0, 2), np.int16),
        "split": columns["split"][kept].astype(np.uint8) if "split" in columns else split_by_content(marks),
    }
    for name, field in domain.schema.items():
        arrays[name] = values[name] if field.axes == "whole" else values[name].reshape(-1, *field.trailing)
    report = {"rows": len(columns["spins"]), "left_out": left_out, "duplicates": len(marks) - len(set(marks))}
    return Dataset.from_arrays(domain, arrays, {"order": "source", **meta, **report})


def _opened(path: Path) -> tuple[SpinLattice, dict[str, np.ndarray]]:
    """What a file holds: its domain, and the arrays with an entry for each of M configurations, ``split`` among them."""
    arrays = named_arrays(path)
    try:
        return _told(arrays)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _told(arrays: Mapping[str, np.ndarray]) -> tuple[SpinLattice, dict[str, np.ndarray]]:
    for name, kind in LABELS.items():
        if name not in arrays:
            raise UserError(f"the array {name!r} is missing; expected such as lattice='square', model='ising', states=2")
        if arrays[name].ndim or arrays[name].dtype.kind not in kind:
            raise UserError(f"{name}: expected one {'word' if kind == 'U' else 'integer'}, got {str(arrays[name].tolist())[:80]}")
    labels = {name: arrays[name].item() for name in LABELS}
    columns = stacked(arrays, SpinLattice(**labels))
    if "spins" not in columns or not len(columns["spins"]):
        raise UserError(f"no spins, expected some beside {', '.join(sorted(arrays))}")
    if columns["spins"].dtype.kind not in "iu":
        raise UserError(f"spins: expected integers, got {columns['spins'].dtype}")
    if labels["model"] != "ising" and "field" in columns and columns["field"].shape[-1] != labels["states"]:
        raise UserError(f"field: expected {labels['states']} numbers a site, got {columns['field'].shape[-1]}")
    sides = list(columns["spins"].shape[1:])
    domain = SpinLattice(
        **labels,
        sides=sides if len(set(sides)) > 1 else None,
        shells=_shells(labels["lattice"], 2 * columns["coupling"].shape[-1]) if "coupling" in columns else 1,
        conditions=[name for name in CONDITIONS if name in columns],
    )
    domain.piece(sides)
    count = max(map(len, columns.values()))
    columns = {name: value if len(value) == count else value.repeat(count, 0) for name, value in columns.items()}
    if "split" in arrays:
        columns["split"] = arrays["split"]
        if arrays["split"].shape != (count,) or not np.isin(arrays["split"], (0, 1, 2)).all():
            raise UserError(f"split: expected {count} times 0, 1 or 2, got {arrays['split'].dtype} {arrays['split'].shape}")
    return domain, columns


def _shells(lattice: str, directions: int) -> int:
    """How many shells of neighbors have so many directions. Raises UserError where that is none or a part of one."""
    lattice = bravais(lattice)
    try:
        lattice.star(directions)
    except ValueError as error:
        raise UserError(f"coupling: {error}") from error
    return next(k for k in range(1, len(lattice.shells) + 1) if len(lattice.directions(k)) == directions)


def _described(domain: SpinLattice, columns: Mapping[str, np.ndarray]) -> dict[str, object]:
    """What files must have in common."""
    sides = columns["spins"].shape[1:]
    return {**{name: getattr(domain, name) for name in LABELS}, "sides": list(sides), "arrays": sorted(columns), "shells": domain.shells}


def _reasons(columns: Mapping[str, np.ndarray], domain: SpinLattice) -> dict[str, np.ndarray]:
    """Why configurations are broken, and which of the M are, (M,) bool each."""
    states = (-1, 1) if domain.model == "ising" else range(domain.states)
    found = {f"spins other than {'-1 and 1' if domain.model == 'ising' else f'0 to {domain.states - 1}'}": ~np.isin(columns["spins"], list(states))}
    with np.errstate(over="ignore"):
        for name in domain.conditions:
            single = columns[name].astype(np.float32)
            found[f"{name} that is no number of single precision"] = ~np.isfinite(single)
            if name == "temperature":
                found["temperature of 0 or below"] = single <= 0
    return {reason: broken.reshape(len(broken), -1).any(1) for reason, broken in found.items()}


def _values(columns: Mapping[str, np.ndarray], domain: SpinLattice) -> dict[str, np.ndarray]:
    """The values of the domain's fields for sound configurations, (M, ...) each."""
    spins, piece = columns["spins"], domain.piece(columns["spins"].shape[1:])
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
    labels = domain.labels(spins).reshape(len(spins), piece.sites).astype(np.uint8)
    return {**{name: condition[name].numpy() for name in domain.conditions}, "spin": labels}


def _marks(values: Mapping[str, np.ndarray]) -> list[bytes]:
    """A 16-byte hash of every configuration and its conditions: equal for those that are stored identically."""
    rows = zip(*(value.reshape(len(value), -1) for value in values.values()), strict=True)
    return [hashlib.blake2b(b"|".join(part.tobytes() for part in row), digest_size=16).digest() for row in rows]
