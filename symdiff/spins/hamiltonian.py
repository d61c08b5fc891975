"""The energy of spins on a periodic lattice: Ising, Potts and clock models with any couplings and fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from symdiff.errors import nearest
from symdiff.groups.torus import Torus
from symdiff.state import State

Model = Literal["ising", "potts", "clock"]
MOST_STATES = 127
"""Labels are kept as int8."""


def interaction(model: str, states: int = 2) -> Tensor:
    """Make the interaction w(a, b) of two spins: δ_ab for Potts spins, cos(2π(a − b)/q) for clock spins.

    Ising spins s = 1 − 2a are clock spins of 2 states.

    Parameters
    ----------
    model : str
        "ising", "potts" or "clock".
    states : int
        q.

    Returns
    -------
    Tensor
        (q, q) float64.

    Raises
    ------
    ValueError
        For an unknown model, or a number of states that it cannot have.
    """
    if model not in get_args(Model):
        raise ValueError(f"unknown model {model!r}{nearest(str(model), get_args(Model))}")
    if not 2 <= states <= (2 if model == "ising" else MOST_STATES):
        raise ValueError(
            f"model {model!r} needs {'2' if model == 'ising' else f'2 to {MOST_STATES}'} states, got {states}"
        )
    if model == "potts":
        return torch.eye(states, dtype=torch.float64)
    step = torch.arange(states)
    angle = (step[:, None] - step).remainder(states).double() * (2 * math.pi / states)
    return angle.cos()


@dataclass(frozen=True, eq=False)
class Hamiltonian:
    """E(σ) = −Σ_bonds J_ij w(σ_i, σ_j) − Σ_i h_i(σ_i), in units of J; the Boltzmann distribution is ∝ exp(−E/T).

    Two are equal where all of their numbers are.

    Parameters
    ----------
    torus : Torus
        The lattice, of N sites.
    coupling : Tensor
        (B, N, D), the star of every site, J_ij standing at both ends. B is the number of Hamiltonians, or 1 where all
        structures share one.
    field : Tensor
        (B, N, q), for Ising spins (h, −h).
    interaction : Tensor
        (q, q) symmetric.
    along : Tensor, optional
        (D, d), the directions of bonds that reach beyond the lattice's shells; without, the first D of the lattice.

    Raises
    ------
    ValueError
        For shapes that do not fit, numbers that are not finite, or a bond with different couplings at its two ends.
    """

    torus: Torus
    coupling: Tensor
    field: Tensor
    interaction: Tensor
    along: Tensor | None = None

    def __post_init__(self) -> None:
        nodes, states = self.torus.sites, len(self.interaction)
        if (
            self.coupling.ndim != 3
            or self.coupling.shape[1] != nodes
            or self.field.shape != (len(self.coupling), nodes, states)
        ):
            raise ValueError(
                f"couplings need shape (B, {nodes}, D) and fields (B, {nodes}, {states}), "
                f"got {tuple(self.coupling.shape)} and {tuple(self.field.shape)}"
            )
        for name, value in (("coupling", self.coupling), ("field", self.field)):
            if not bool(value.isfinite().all()):
                raise ValueError(f"{name}: expected finite numbers, got nan or inf")
        start, end, way = self.torus.bonds(self.star)
        if not torch.equal(
            self.coupling[:, start, way], self.coupling[:, end, self.torus.lattice.opposite(self.star)[way]]
        ):
            raise ValueError("coupling: a bond needs the same coupling at both of its ends")

    @property
    def directions(self) -> int:
        return self.coupling.shape[2]

    @property
    def star(self) -> Tensor:
        """The directions of a site's bonds, (D, d) int64."""
        return self.torus.lattice.star(self.directions if self.along is None else self.along)

    @property
    def states(self) -> int:
        return len(self.interaction)

    @property
    def is_uniform(self) -> bool:
        """Whether there is one Hamiltonian, and all sites are alike in it."""
        return len(self) == 1 and bool(
            (self.coupling == self.coupling[:, :1]).all() & (self.field == self.field[:, :1]).all()
        )

    @property
    def has_field(self) -> bool:
        """Whether some spin feels a field that depends on its direction."""
        return bool((self.field != self.field[..., :1]).any())

    def __len__(self) -> int:
        return len(self.coupling)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hamiltonian) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple:
        tensors = (self.star, self.coupling, self.field, self.interaction)
        return self.torus.lattice.kind, self.torus.sides, *((tuple(t.shape), t.numpy().tobytes()) for t in tensors)

    def select(self, index) -> Hamiltonian:
        """Take some of the Hamiltonians.

        Parameters
        ----------
        index : Tensor, slice or list of int
            Which of the B.

        Returns
        -------
        Hamiltonian
            The same torus and interaction with these couplings and fields.
        """
        return replace(self, coupling=self.coupling[index], field=self.field[index])

    def bonds(self) -> tuple[Tensor, Tensor, Tensor]:
        """Every bond once: its sites (E,), (E,) and its couplings (B, E)."""
        start, end, way = self.torus.bonds(self.star)
        return start, end, self.coupling[:, start, way]

    def total(self, spins: Tensor) -> Tensor:
        """Compute the total energy.

        Parameters
        ----------
        spins : Tensor, (M, N) int64
            Labels 0..q-1; M is B where B is not 1.

        Returns
        -------
        Tensor, (M,) float64
            In J.
        """
        start, end, coupling = self.bonds()
        paired = self.interaction[spins[:, start], spins[:, end]]
        single = self.field.expand(len(spins), -1, -1).gather(-1, spins[..., None])[..., 0]
        return -(coupling * paired).sum(1) - single.sum(1)

    def energy(self, spins: Tensor) -> Tensor:
        """Compute the energy per site.

        Parameters
        ----------
        spins : Tensor, (M, N) int64
            Labels 0..q-1; M is B where B is not 1.

        Returns
        -------
        Tensor, (M,) float64
            In J.
        """
        return self.total(spins) / self.torus.sites

    @classmethod
    def make(
        cls,
        torus: Torus,
        interaction: Tensor,
        couplings: Tensor | Sequence[float] = (1.0,),
        field: Tensor | None = None,
        along: Tensor | None = None,
    ) -> Hamiltonian:
        """Make a Hamiltonian of one coupling for each direction of bonds, none together with its opposite.

        Parameters
        ----------
        torus : Torus
            The lattice, of N sites.
        interaction : Tensor
            (q, q) symmetric.
        couplings : Tensor or sequence of float
            One number for each of ``half(torus, D)``'s directions (D/2,) where all sites are alike, or (N, D/2) or
            (B, N, D/2), the bond of a site in that direction. A single number stands for all nearest neighbors.
        field : Tensor, optional
            (q,), (N, q) or (B, N, q).
        along : Tensor, optional
            (D/2, d), the directions, where they are others or in another order.

        Returns
        -------
        Hamiltonian
            Of B structures.
        """
        lattice, nodes, states = torus.lattice, torus.sites, len(interaction)
        half_star = torch.as_tensor(couplings, dtype=torch.float64)
        if half_star.numel() == 1 and along is None:
            half_star = half_star.reshape(1).expand(len(lattice.shells[0]) // 2)
        directions = lattice.star(2 * half_star.shape[-1] if along is None else torch.cat([along, -along]))
        half_star = half_star.expand(nodes, -1) if half_star.ndim == 1 else half_star
        half_star = half_star[None] if half_star.ndim == 2 else half_star
        once, opposite = half(torus, directions), lattice.opposite(directions)
        star = torch.zeros(len(half_star), nodes, len(directions), dtype=torch.float64)
        star[..., once] = half_star
        star[:, torus.neighbors(directions)[:, once].T, opposite[once][:, None]] = half_star.mT
        field = torch.zeros(states, dtype=torch.float64) if field is None else field.double()
        field = field.expand(nodes, -1) if field.ndim == 1 else field
        field = field[None] if field.ndim == 2 else field
        batch = max(len(star), len(field))
        star, reaching = (star, None) if along is None else _in_shells(torus, star, directions)
        return cls(torus, star.expand(batch, -1, -1), field.expand(batch, -1, -1), interaction, reaching)

    @classmethod
    def of(cls, x: State, torus: Torus, interaction: Tensor) -> Hamiltonian:
        """Read the Hamiltonian of structures from their fields ``coupling`` and ``field``.

        Parameters
        ----------
        x : State
            B structures. Without ``coupling`` it is 1 between nearest neighbors; without ``field`` there is none.
        torus : Torus
            The lattice, of N sites.
        interaction : Tensor, (q, q)
            The interaction of two spins, symmetric.

        Returns
        -------
        Hamiltonian
            One for every structure, or one for all where x has neither field.
        """
        states, batch = len(interaction), len(x)
        nearest_only = torch.ones(1, torus.sites, len(torus.lattice.shells[0]), dtype=torch.float64)
        star = x["coupling"][..., 0].double() if "coupling" in x.schema else nearest_only.expand(batch, -1, -1)
        field = x["field"].double() if "field" in x.schema else star.new_zeros(batch, torus.sites, states)
        return cls(torus, star, field, interaction)


def _in_shells(torus: Torus, coupling: Tensor, star: Tensor) -> tuple[Tensor, Tensor | None]:
    """Couplings (B, N, D) along a star as those along the lattice's own first shells, and None, where these hold
    all of its directions."""
    for shells in range(1, len(torus.lattice.shells) + 1):
        own = torus.lattice.directions(shells)
        same = (own[:, None] == star).all(-1)
        if bool(same.any(0).all()):
            return torch.where(same.any(1), coupling[..., same.long().argmax(1)], 0.0), None
    return coupling, star


def half(torus: Torus, directions: int | Tensor) -> Tensor:
    """List the indices in a star of D directions that count every bond once.

    On the square lattice these are (1, 0), (0, 1), then (1, 1), (-1, 1).

    Parameters
    ----------
    torus : Torus
        The lattice.
    directions : int or Tensor, (D, d) int64
        The star, as ``Bravais.star`` takes it.

    Returns
    -------
    Tensor, (D/2,) int64
        Of a direction and its opposite the one that comes first.
    """
    opposite = torus.lattice.opposite(directions)
    return (torch.arange(len(opposite)) < opposite).nonzero()[:, 0]


def ising_field(h: Tensor) -> Tensor:
    """Write a magnetic field as the field of the two labels of Ising spins.

    Parameters
    ----------
    h : Tensor, (...)
        In J.

    Returns
    -------
    Tensor, (..., 2)
        h for up and −h for down.
    """
    return torch.stack([h, -h], -1)


def random_bonds(torus: Torus, shares: float, count: int, generator: torch.Generator, shells: int = 1) -> Tensor:
    """Draw couplings that are −1 with a given probability, else 1 (the ±J spin glass at 1/2).

    Parameters
    ----------
    torus : Torus
        The lattice, of N sites.
    shares : float
        The probability of −1.
    count : int
        The number of Hamiltonians.
    generator : torch.Generator
        The source of randomness.
    shells : int
        Shells of neighbors that are coupled, with D directions together.

    Returns
    -------
    Tensor, (count, N, D/2) float64
        In J, for ``Hamiltonian.make``.
    """
    directions = len(torus.lattice.directions(shells))
    draw = torch.rand(count, torus.sites, directions // 2, generator=generator, dtype=torch.float64)
    return torch.where(draw < shares, -1.0, 1.0).double()


def gaussian_bonds(
    torus: Torus, mean: float, width: float, count: int, generator: torch.Generator, shells: int = 1
) -> Tensor:
    """Draw normally distributed couplings.

    Parameters
    ----------
    torus : Torus
        The lattice, of N sites.
    mean : float
        The mean, in J.
    width : float
        The standard deviation, in J.
    count : int
        The number of Hamiltonians.
    generator : torch.Generator
        The source of randomness.
    shells : int
        Shells of neighbors that are coupled, with D directions together.

    Returns
    -------
    Tensor, (count, N, D/2) float64
        In J, for ``Hamiltonian.make``.
    """
    directions = len(torus.lattice.directions(shells))
    return mean + width * torch.randn(count, torus.sites, directions // 2, generator=generator, dtype=torch.float64)


def random_fields(torus: Torus, width: float, count: int, generator: torch.Generator) -> Tensor:
    """Draw normally distributed fields of mean 0 on Ising spins.

    Parameters
    ----------
    torus : Torus
        The lattice, of N sites.
    width : float
        The standard deviation, in J.
    count : int
        The number of Hamiltonians.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    Tensor, (count, N, 2) float64
        In J.
    """
    return ising_field(width * torch.randn(count, torus.sites, generator=generator, dtype=torch.float64))
