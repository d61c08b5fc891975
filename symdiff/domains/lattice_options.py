"""What the command line says of a lattice: its size, Hamiltonian, temperature, and spins that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.hamiltonian_files import MAX_REAL, from_plain, read_hamiltonians, read_one
from symdiff.domains.property_options import PropertyOptions
from symdiff.domains.spin_files import read_matching
from symdiff.errors import UserError
from symdiff.groups.bravais import bravais
from symdiff.random import Streams
from symdiff.state import Categorical, State
from symdiff.storage.files import ending
from symdiff.storage.numbers import read_integer, read_real, show

if TYPE_CHECKING:
    from symdiff.domains.lattice import SpinLattice


class LatticeOptions(PropertyOptions):
    """The options of a domain of spins.

    Parameters
    ----------
    domain : SpinLattice
        Whose conditions are read.
    """

    def __init__(self, domain: SpinLattice) -> None:
        super().__init__(domain.properties)
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        """``size`` and ``fixed``, and those for the conditions that the domain has."""
        conditions = self.domain.conditions
        lines = {"size": "the side of the lattice, or its sides (32 or 32x16)"}
        if "coupling" in conditions:
            lines["coupling"] = (
                "J between nearest neighbors, or one number for every direction of half the star (1,0.5)"
            )
        if "field" in conditions:
            lines["field"] = "h for Ising spins, else one number for every state (0.1,0,0)"
        if "temperature" in conditions:
            lines["temperature"] = "T in J/k_B"
        if {"coupling", "field"} & set(conditions):
            lines["hamiltonian"] = "a .yaml or .npz file of couplings and fields"
        lines["fixed"] = "a .npz file of spins of which those that are not 0 (Potts: not -1) stay as they are"
        return {**lines, **super().help}

    @property
    def absent(self) -> dict[str, str]:
        """The options for conditions that the domain does not have."""
        reasons = {
            "coupling": "the model is for J = 1 between nearest neighbors only",
            "field": "the model is symmetric under permutations of the spins' states and takes no field",
            "temperature": "the model has no temperature",
            "hamiltonian": "the model is for one Hamiltonian: J = 1 between nearest neighbors, no field",
        }
        return {name: reason for name, reason in reasons.items() if name not in self.help}

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State:
        """Read the conditions of one lattice, or of all Hamiltonians in the file ``hamiltonian``.

        Raises
        ------
        UserError
            For a file or a number that does not fit the model.
        """
        condition, given = self._read_lattices(words), super().read_condition(words, streams)
        if given is None:
            return condition
        if len(given) > 1 and len(condition) == 1:
            condition = condition.select([0] * len(given))
        if 1 != len(given) != len(condition):
            raise UserError(
                f"--count: expected {len(condition)}, one for each Hamiltonian, where ranges are drawn from"
            )
        given = given.select([0] * len(condition)) if len(given) == 1 else given
        return condition.with_values(**given.values)

    def _read_lattices(self, words: Mapping[str, str]) -> State:
        if "hamiltonian" in words:
            return self._read_hamiltonians(words)
        values: dict = {"sides": self._read_sides(words)}
        for name in ("coupling", "field", "temperature"):
            if name in words:
                values[name] = _parse(name, words[name])
        one = from_plain("--", values, self.domain)
        return self.domain.condition(self.domain.codec.hamiltonian_of(one), one.temperature)

    def _read_hamiltonians(self, words: Mapping[str, str]) -> State:
        for name in ("size", "coupling", "field"):
            if name in words:
                raise UserError(f"--{name}: the file --hamiltonian says it already")
        path, domain = words["hamiltonian"], self.domain
        objs = read_hamiltonians(path, domain)
        temperatures = [one.temperature for one in objs]
        if "temperature" in words:
            temperatures = [read_one("--", "temperature", _parse("temperature", words["temperature"]))] * len(objs)
        given = None if any(t is None for t in temperatures) else torch.tensor(temperatures, dtype=torch.float64)
        try:
            each = [domain.codec.hamiltonian_of(one) for one in objs]
            together = replace(
                each[0], coupling=torch.cat([h.coupling for h in each]), field=torch.cat([h.field for h in each])
            )
            return domain.condition(together, given if "temperature" in domain.conditions else None)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error

    def _read_sides(self, words: Mapping[str, str]) -> list[int]:
        """The sides that ``size`` says, else those of the known spins, else of the domain."""
        known = self._read_spins(words["fixed"]).shape[1:] if "fixed" in words else ()
        text = words.get("size", "x".join(map(str, known or self.domain.sides or ())))
        try:
            sides = [read_integer(part, 0) for part in text.split("x")]
        except UserError as error:
            raise UserError(
                "--size: expected a number such as 32 or sides such as 32x16, got "
                f"{show(text) if text else repr('nothing')}"
            ) from error
        try:
            return list(self.domain.piece(sides * bravais(self.domain.lattice).dim if len(sides) == 1 else sides).sides)
        except UserError as error:
            raise UserError(f"--size: {error}") from error

    def read_known(self, words: Mapping[str, str]) -> State | None:
        """Read the spins of the file ``fixed``, of one lattice or of M, as labels; 0 (Ising) or -1 (others) is open."""
        if "fixed" not in words:
            return None
        path, domain = words["fixed"], self.domain
        spins = self._read_spins(path)
        free = spins == (0 if domain.model == "ising" else -1)
        try:
            labels, nodes = domain.codec.labels(np.where(free, 1, spins)), domain.piece(spins.shape[1:]).sites
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        labels = torch.from_numpy(np.where(free, domain.states, labels).reshape(len(spins), nodes))
        return State(
            torch.ones(len(spins), nodes, dtype=torch.bool),
            {"spin": Categorical("node", domain.states + 1)},
            {"spin": labels},
        )

    def _read_spins(self, path: str | Path) -> np.ndarray:
        ending(path, (".npz",))
        arrays, dim = read_matching(path, self.domain), bravais(self.domain.lattice).dim
        spins = arrays.get("spins")
        if spins is None or spins.dtype.kind not in "iu" or spins.ndim not in (dim, dim + 1):
            got = sorted(arrays) if spins is None else f"{spins.dtype} {spins.shape}"
            raise UserError(f"{path}: expected integers 'spins' with {dim} or {dim + 1} axes, got {got}")
        return spins if spins.ndim > dim else spins[None]


def _parse(name: str, text: str) -> list[float]:
    try:
        return [read_real(part, -MAX_REAL, MAX_REAL) for part in text.split(",")]
    except UserError as error:
        raise UserError(f"--{name}: expected numbers with commas between, got {show(text)}") from error
