"""What the command line says of a torus of any lattice: its kind or its group, its size, the temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.options import Options
from symdiff.domains.tori_bonds import LATTICES, MOST_SITES, bonds_of, recognize
from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import bravais
from symdiff.groups.named import parse_group
from symdiff.random import Streams
from symdiff.state import State
from symdiff.storage.numbers import read_integer, read_real, show

if TYPE_CHECKING:
    from symdiff.domains.tori import SpinTori


class ToriOptions(Options):
    """Those of spins on tori of several lattices.

    Parameters
    ----------
    domain : SpinTori
        Whose options they are.
    """

    def __init__(self, domain: SpinTori) -> None:
        self.domain = domain

    @property
    def help(self) -> dict[str, str]:
        return {
            "lattice": "chain, square, triangular or cubic",
            "size": "the side of the lattice, or its sides (8 or 4x16)",
            "group": 'instead of both: a group whose orbit of the pair (0, 1) are the bonds ("torus 8 8")',
            "temperature": "T in J/k_B",
        }

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State:
        """The bonds and the temperature of one lattice.

        Raises
        ------
        UserError
            For a lattice, sides, a group or a temperature that do not fit.
        """
        if "temperature" not in words:
            raise UserError("--temperature: the model needs one, in J/k_B")
        temperature = read_real(words["temperature"], 1e-3, 1e6)
        kind, sides = self._read_group(words) if "group" in words else self._read_lattice(words)
        nodes = self.domain.lattice(kind, sides).piece(sides).sites
        bond, ends = torch.zeros(1, nodes, nodes, dtype=torch.int64), torch.from_numpy(bonds_of(kind, sides)).long()
        bond[0, ends[:, 0], ends[:, 1]] = bond[0, ends[:, 1], ends[:, 0]] = 1
        schema = {name: self.domain.schema[name] for name in self.domain.conditions}
        values = {"bond": bond, "temperature": torch.tensor([[temperature]])}
        return State(torch.ones(1, nodes, dtype=torch.bool), schema, values)

    def _read_lattice(self, words: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
        kind, text = words.get("lattice", ""), words.get("size", "")
        if kind not in LATTICES:
            raise UserError(
                f"--lattice: expected one of {', '.join(LATTICES)}, got {show(kind)}{nearest(kind, LATTICES)}"
            )
        try:
            sides = tuple(read_integer(part, 3) for part in text.split("x"))
        except UserError as error:
            raise UserError(f"--size: expected a side such as 8, or sides such as 4x16, got {show(text)}") from error
        dim = bravais(kind).dim
        if len(sides) not in (1, dim):
            raise UserError(f"--size: a {kind} lattice has {dim} sides, got {show(text)}")
        return kind, sides * dim if len(sides) == 1 else sides

    def _read_group(self, words: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
        if "lattice" in words or "size" in words:
            raise UserError("--group: says the lattice and its size, leave out --lattice and --size")
        group = parse_group(words["group"])
        if not 2 <= group.nodes <= MOST_SITES:
            raise UserError(f"--group: expected a group of 2 to {MOST_SITES} points, got {group.nodes}")
        orbits = group.pair_orbits()
        joined = (orbits == orbits[0, 1]) | (orbits == orbits[1, 0])
        bonds = torch.nonzero(joined.triu(1)).numpy().astype(np.int16)
        try:
            return recognize(bonds, group.nodes)
        except UserError as error:
            raise UserError(f"--group {show(words['group'])}: {error}") from error
