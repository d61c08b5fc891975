"""What the command line says of a lattice: its size, Hamiltonian, temperature, and spins that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.hamiltonian_files import MAX_REAL, from_plain, read_hamiltonians, read_one
from symdiff.domains.spin_files import read_matching
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.state import Categorical, State
from symdiff.storage.files import ending
from symdiff.storage.numbers import read_integer, read_real, show

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice


def fixed(path: str | Path, domain: SpinLattice) -> State:
    """The spins of a .npz file, of one lattice or of M, as labels (M, N); 0 (Ising) or -1 (others) is free: the label q. Raises UserError."""
    spins = _read_fixed(path, domain)
    free = spins == (0 if domain.model == "ising" else -1)
    try:
        labels, nodes = domain.labels(np.where(free, 1, spins)), domain.piece(spins.shape[1:]).sites
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    labels = torch.from_numpy(np.where(free, domain.states, labels).reshape(len(spins), nodes))
    return State(torch.ones(len(spins), nodes, dtype=torch.bool), {"spin": Categorical("node", domain.states + 1)}, {"spin": labels})


def _read_fixed(path: str | Path, domain: SpinLattice) -> np.ndarray:
    ending(path, (".npz",))
    arrays, dim = read_matching(path, domain), bravais(domain.lattice).dim
    spins = arrays.get("spins")
    if spins is None or spins.dtype.kind not in "iu" or spins.ndim not in (dim, dim + 1):
        got = sorted(arrays) if spins is None else f"{spins.dtype} {spins.shape}"
        raise UserError(f"{path}: expected integers 'spins' with {dim} or {dim + 1} axes, got {got}")
    return spins if spins.ndim > dim else spins[None]


def conditions(options: Mapping[str, str], domain: SpinLattice) -> State:
    """The conditions that options say as text (see ``SpinLattice.options``). Raises UserError."""
    if "hamiltonian" in options:
        return _read_conditions(options, domain)
    values: dict = {"sides": _read_size(options, domain)}
    for name in ("coupling", "field", "temperature"):
        if name in options:
            values[name] = _parse(name, options[name])
    one = from_plain("--", values, domain)
    return domain.condition(domain.hamiltonian_of(one), one.temperature)


def _read_conditions(options: Mapping[str, str], domain: SpinLattice) -> State:
    """Those of all Hamiltonians in the file ``hamiltonian``."""
    for name in ("size", "coupling", "field"):
        if name in options:
            raise UserError(f"--{name}: the file --hamiltonian says it already")
    path = options["hamiltonian"]
    objs = read_hamiltonians(path, domain)
    temperatures = [one.temperature for one in objs]
    if "temperature" in options:
        temperatures = [read_one("--", "temperature", _parse("temperature", options["temperature"]))] * len(objs)
    given = None if any(t is None for t in temperatures) else torch.tensor(temperatures, dtype=torch.float64)
    try:
        each = [domain.hamiltonian_of(one) for one in objs]
        together = replace(each[0], coupling=torch.cat([h.coupling for h in each]), field=torch.cat([h.field for h in each]))
        return domain.condition(together, given if "temperature" in domain.conditions else None)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_size(options: Mapping[str, str], domain: SpinLattice) -> list[int]:
    """The sides that ``size`` says, else those of the fixed spins, else of the domain."""
    known = () if "fixed" not in options else _read_fixed(options["fixed"], domain).shape[1:]
    text = options.get("size", "x".join(map(str, known or domain.sides or ())))
    try:
        sides = [read_integer(part, 0) for part in text.split("x")]
    except UserError as error:
        raise UserError(f"--size: expected a number such as 32 or sides such as 32x16, got {show(text) if text else repr('nothing')}") from error
    try:
        return list(domain.piece(sides * bravais(domain.lattice).dim if len(sides) == 1 else sides).sides)
    except UserError as error:
        raise UserError(f"--size: {error}") from error


def _parse(name: str, text: str) -> list[float]:
    try:
        return [read_real(part, -MAX_REAL, MAX_REAL) for part in text.split(",")]
    except UserError as error:
        raise UserError(f"--{name}: expected numbers with commas between, got {show(text)}") from error
