"""Spins on periodic lattices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from symdiff.config.ranges import Classes, Degree, Side
from symdiff.domains.base import Domain
from symdiff.domains.lattice_codec import LatticeCodec
from symdiff.domains.lattice_options import LatticeOptions
from symdiff.domains.property_set import Properties
from symdiff.errors import UserError, nearest
from symdiff.groups.bravais import LatticeKind, bravais
from symdiff.groups.lattices import Space
from symdiff.groups.product import DirectProduct
from symdiff.groups.relabel import Relabel
from symdiff.groups.torus import Torus, torus
from symdiff.spins.hamiltonian import Hamiltonian, interaction
from symdiff.state import Categorical, Logits, Real, Schema, Star, State

CONDITIONS = ("coupling", "field", "temperature")
MAX_SITES = 1 << 20
MAX_VALUES = 1 << 24
"""Couplings and fields of one lattice: 128 MiB in double precision."""


class SpinLattice(Domain):
    """Ising, Potts or clock spins on a torus; objects are ``Configuration``s.

    Parameters
    ----------
    lattice : str
        "chain", "square", "triangular" or "cubic".
    sides : sequence of int, optional
        Fixed lengths; without, tori with equal sides of any length.
    model : str
        "ising", "potts" or "clock".
    states : int
        States of a spin: 2 for Ising spins.
    shells : int
        1 for couplings of nearest neighbors, 2 for those of next-nearest neighbors, too.
    conditions : sequence of str
        What a Hamiltonian says for every structure on its own, among "coupling", "field" and "temperature"; without
        "coupling" it is 1 between nearest neighbors, without "field" there is none.
    properties : mapping of str to mapping, optional
        Numbers of a configuration that are given, each as ``Property`` says.

    Raises
    ------
    UserError
        For an unknown lattice, model or condition, and for numbers that they cannot have.
    """

    def __init__(
        self,
        lattice: str = "square",
        sides: Sequence[Side] | None = None,
        model: str = "ising",
        states: Classes = 2,
        shells: Degree = 1,
        conditions: Sequence[str] = (),
        properties: Mapping[str, Mapping] | None = None,
    ) -> None:
        for name in conditions:
            if name not in CONDITIONS:
                raise UserError(f"conditions: unknown condition {name!r}{nearest(str(name), CONDITIONS)}")
        try:
            self.interaction = interaction(model, states)
            self._space = Space(cast(LatticeKind, lattice), sides)  # which checks it
            self.directions = len(bravais(lattice).directions(shells))
        except ValueError as error:
            raise UserError(str(error)) from error
        self.lattice, self.sides, self.shells = lattice, self._space.sides, shells
        self.model, self.states = model, states
        self._conditions = tuple(name for name in CONDITIONS if name in conditions)
        self.properties = Properties(properties, (*CONDITIONS, "spin"))

    @property
    def schema(self) -> Schema:
        """The conditions, then ``spin``: label 0 of an Ising spin is up (+1), label 1 down (−1)."""
        every = {
            "coupling": Star("node", self.directions),
            "field": Logits("node", self.states),
            "temperature": Real("whole", 1),
        }
        given = {**{name: every[name] for name in self._conditions}, **self.properties.schema}
        return {**given, "spin": Categorical("node", self.states)}

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those of the settings."""
        return (*self._conditions, *self.properties.conditions)

    @property
    def pads(self) -> bool:
        """False: a lattice with a site more is no lattice."""
        return False

    @property
    def recipe(self) -> str:
        """``own-spins``."""
        return "own-spins"

    def automatic(self, width: int) -> dict[str, object]:
        """Tell the lattice, and the group whose elements are drawn.

        That of two labels has their flip; of more labels only the space group's symmetry is broken. The width is a
        multiple of the number of point operations and flips.
        """
        sides = None if self.sides is None else list(self.sides)
        group: dict[str, object] = {"kind": "Space", "lattice": self.lattice, "sides": sides}
        flips = ["spin", "field", "sign"] if self.states == 2 else []
        if flips:
            flip = {"kind": "Relabel", "fields": flips, "classes": 2, "generators": [[1, 0]]}
            group = {"kind": "DirectProduct", "groups": [group, flip]}
        count = len(bravais(cast(LatticeKind, self.lattice)).operations) * (2 if flips else 1)
        return {
            "lattice": self.lattice,
            "sides": sides,
            "flips": flips,
            "group": group,
            "fields": [*(name for name in self._conditions if name != "temperature"), "spin"],
            "width": -(-width // count) * count,
        }

    @property
    def codec(self) -> LatticeCodec:
        """``Configuration``s, in memory and in .npz files."""
        return LatticeCodec(self)

    @property
    def options(self) -> LatticeOptions:
        """Size, Hamiltonian, temperature, and spins that are known."""
        return LatticeOptions(self)

    @property
    def group(self) -> DirectProduct:
        """The space group times the permutations of labels that leave the interaction as it is.

        A field moves with the spins.
        """
        cycle, swap = [*range(1, self.states), 0], [1, 0, *range(2, self.states)]
        reflection = [-k % self.states for k in range(self.states)]
        generators = [cycle, swap] if self.model == "potts" else [cycle, reflection]
        return DirectProduct([self._space, Relabel(["spin", "field", "sign"], self.states, generators)])

    @property
    def spec(self) -> dict:
        """The settings; ``sides`` is None where they are open."""
        sides = None if self.sides is None else list(self.sides)
        settings = {
            "lattice": self.lattice,
            "sides": sides,
            "model": self.model,
            "states": self.states,
            "shells": self.shells,
        }
        return {"kind": "SpinLattice", **settings, "conditions": list(self._conditions), **self.properties.spec}

    def torus(self, nodes: int) -> Torus:
        """Find the torus of a number of sites.

        Parameters
        ----------
        nodes : int
            The number of sites.

        Returns
        -------
        Torus
            With the sides of the domain, or with equal ones.

        Raises
        ------
        ValueError
            Where there is none.
        """
        return self._space.torus(nodes)

    def hamiltonian(self, x: State) -> Hamiltonian:
        """Make the Hamiltonians of structures from their condition fields: J = 1 and h = 0 where there are none.

        Parameters
        ----------
        x : State
            B structures with their conditions.

        Returns
        -------
        Hamiltonian
            Of B rows.
        """
        return Hamiltonian.of(x, self.torus(x.mask.shape[1]), self.interaction)

    def condition(self, hamiltonian: Hamiltonian, temperature: float | Tensor | None = None) -> State:
        """Make the condition fields that describe Hamiltonians and temperatures.

        Parameters
        ----------
        hamiltonian : Hamiltonian
            Of B rows, or of one for all.
        temperature : float or Tensor, optional
            In J/k_B: one for all, or (B,); needed where temperature is a condition.

        Returns
        -------
        State
            B rows.

        Raises
        ------
        UserError
            For what the model's conditions cannot express.
        """
        batch, nodes = len(hamiltonian), hamiltonian.torus.sites
        if hamiltonian.states != self.states or not torch.equal(hamiltonian.interaction, self.interaction):
            raise UserError(f"the model has {self.states}-state {self.model} spins, the Hamiltonian has others")
        if hamiltonian.torus.lattice.kind != self.lattice:
            raise UserError(f"the model needs a {self.lattice} lattice, got a {hamiltonian.torus.lattice.kind} one")
        self.piece(hamiltonian.torus.sides)
        if hamiltonian.along is not None:
            raise UserError(f"coupling: the model knows bonds to near neighbors, got {hamiltonian.along.tolist()}")
        values = {}
        if "coupling" in self._conditions:
            if hamiltonian.directions > self.directions:
                raise UserError(
                    f"coupling: the model knows {self.directions} bonds a site, got {hamiltonian.directions}"
                )
            missing = self.directions - hamiltonian.directions
            values["coupling"] = _single(
                "coupling", torch.nn.functional.pad(hamiltonian.coupling, (0, missing))[..., None]
            )
        elif not torch.equal(
            hamiltonian.coupling,
            Hamiltonian.make(hamiltonian.torus, self.interaction).coupling.expand_as(hamiltonian.coupling),
        ):
            raise UserError("coupling: the model is for J = 1 between nearest neighbors only, got other couplings")
        if "field" in self._conditions:
            values["field"] = _single("field", hamiltonian.field)
        elif hamiltonian.has_field:
            raise UserError("field: the model is symmetric under flips of all spins and takes no field, got one")
        if "temperature" in self._conditions:
            if temperature is None:
                raise UserError("temperature: the model needs one, got none")
            given = torch.as_tensor(temperature, dtype=torch.float32).reshape(-1, 1)
            if not bool((given > 0).all() & given.isfinite().all()):
                raise UserError(f"temperature: expected more than 0, in J/k_B, got {temperature}")
            batch = max(batch, len(given))
            values["temperature"] = given.expand(batch, -1)
        elif temperature is not None:
            raise UserError("temperature: the model has no temperature, got one")
        values |= {name: torch.from_numpy(value)[None] for name, value in self.properties.hidden().items()}
        values = {name: value.expand(batch, *value.shape[1:]).clone() for name, value in values.items()}
        return State(torch.ones(batch, nodes, dtype=torch.bool), {name: self.schema[name] for name in values}, values)

    @property
    def log_density(self) -> Callable[[State], Tensor] | None:
        """Boltzmann's −E/T where there is a temperature."""
        if "temperature" not in self._conditions:
            return None
        return lambda x: -self.hamiltonian(x).total(x["spin"]) / x["temperature"][:, 0].double()

    def check_part(self, part: object, spec: Mapping, where: str) -> None:
        """Check that a part, and those that it is built of, are for the same lattice."""
        lattice, sides = getattr(part, "lattice", None), getattr(part, "sides", None)
        kind = getattr(lattice, "kind", lattice)
        if kind not in (None, self.lattice):
            raise UserError(f"{where}.lattice: expected {self.lattice!r} as the data set has, got {kind!r}")
        if kind is not None and self.sides is not None and sides != self.sides:
            raise UserError(
                f"{where}.sides: expected {list(self.sides)} as the data set has, got "
                f"{'equal ones' if sides is None else list(sides)}"
            )
        for name, inner in spec.items():
            if isinstance(inner, Mapping) and hasattr(part, name):
                self.check_part(getattr(part, name), inner, f"{where}.{name}")
            elif name == "groups":
                for place, pair in enumerate(zip(getattr(part, name), inner, strict=True)):
                    self.check_part(*pair, f"{where}.{name}[{place}]")

    def piece(self, sides: Sequence[int]) -> Torus:
        """Make the torus with given sides.

        Parameters
        ----------
        sides : sequence of int
            The lengths in sites.

        Returns
        -------
        Torus
            Of the domain's lattice.

        Raises
        ------
        UserError
            For sides that the domain does not have, and for too many sites.
        """
        try:
            piece = torus(self.lattice, sides)
        except ValueError as error:
            raise UserError(str(error)) from error
        if piece.sites > MAX_SITES:
            raise UserError(f"expected at most {MAX_SITES} sites, got {' x '.join(map(str, piece.sides))}")
        if piece.sites * (self.directions + self.states) > MAX_VALUES:
            most = MAX_VALUES // (self.directions + self.states)
            raise UserError(
                f"expected at most {most} sites with {self.states} states, got {' x '.join(map(str, piece.sides))}"
            )
        if piece.sides != (self.sides or piece.sides[:1] * len(piece.sides)):
            raise UserError(
                f"expected {'equal sides' if self.sides is None else f'sides {list(self.sides)}'}, got "
                f"{list(piece.sides)}"
            )
        return piece


def _single(name: str, value: Tensor) -> Tensor:
    """In single precision. Raises UserError where that has no such number."""
    if not bool(value.float().isfinite().all()):
        raise UserError(f"{name}: expected numbers of single precision, got one of size {value.abs().max():.3g}")
    return value.float()
