"""In which order a masked structure is revealed, where not all orders are alike."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from symdiff.groups.bravais import LatticeKind, bravais
from symdiff.groups.torus import torus_of
from symdiff.random import Generator, uniform


class Revealing(ABC):
    """A distribution over orders of a structure's nodes that is invariant under its symmetries.

    Which order a structure is revealed in can be read from what is revealed so far.
    """

    @abstractmethod
    def keys(self, hidden: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw keys of the nodes: those with smaller keys are revealed earlier.

        Parameters
        ----------
        hidden : Tensor
            (B, N) bool, the nodes that are not revealed yet.
        generator : Generator, optional

        Returns
        -------
        Tensor
            (B, N) float; those of hidden nodes count.
        """

    @abstractmethod
    def next(self, hidden: Tensor) -> Tensor:
        """Tell the hidden nodes of which some are revealed next; the predictions for others are not used.

        Parameters
        ----------
        hidden : Tensor
            (B, N) bool, the nodes that are not revealed yet.

        Returns
        -------
        Tensor
            (B, N) bool, among the hidden ones.
        """

    @abstractmethod
    def times(self, steps: int) -> Tensor:
        """Make the grid of a trajectory.

        Parameters
        ----------
        steps : int
            Evaluations of the network.

        Returns
        -------
        Tensor
            (steps + 1,) float64, from 1 down to 0; at time t the share t of the nodes is hidden.
        """

    @abstractmethod
    def draw_times(self, u: Tensor) -> Tensor:
        """Turn uniform numbers into training times.

        Parameters
        ----------
        u : Tensor
            Uniform in (0, 1), any shape.

        Returns
        -------
        Tensor
            Times in (0, 1], like ``u``.
        """


class Sublattices(Revealing):
    """One of the two sublattices of a bipartite lattice spin by spin, then the other one at once.

    With couplings between nearest neighbors alone the spins of a sublattice depend on one another through the other
    sublattice only: once that is known they may all be drawn in a single step, without any error. So half of the
    evaluations are saved. Which sublattice comes first is a coin's toss. Within it nodes are revealed in groups of up
    to 2^d that are half the lattice apart, the least dependent ones. With a breaker anchored in the data the last step
    is not exact: z depends on all spins together.

    Parameters
    ----------
    lattice : {"chain", "square", "cubic"}
        The kind of the lattice; the sides of its torus must be even.

    Raises
    ------
    ValueError
        For a lattice that is not bipartite.
    """

    def __init__(self, lattice: LatticeKind = "square") -> None:
        if lattice not in ("chain", "square", "cubic"):
            raise ValueError(f"lattice: expected a bipartite one (chain, square, cubic), got {lattice!r}")
        self.lattice = bravais(lattice).kind

    def keys(self, hidden: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw keys that put one sublattice before the other, and within each keep groups of nodes far apart."""
        parity, group = self._parity(hidden)
        u = uniform((*hidden.shape, 2), generator, torch.empty(0, device=hidden.device))
        alike = 0.999 * u[:, group, 0] + 0.001 * u[..., 1]  # what decides within a group is drawn as well
        return alike + self._late(hidden, parity, uniform((len(hidden),), generator, u))

    def next(self, hidden: Tensor) -> Tensor:
        """Tell the hidden nodes of the sublattice that is begun, or all of them before any is shown."""
        parity, _ = self._parity(hidden)
        tie = self._odd_ahead(hidden, parity) == 0
        early = hidden & ~self._late(hidden, parity, torch.zeros(len(hidden), device=hidden.device))
        return torch.where(early.any(1, keepdim=True) & ~tie[:, None], early, hidden)

    def times(self, steps: int) -> Tensor:
        """Make even steps over the first sublattice, and a last one that shows the second."""
        return torch.cat([torch.linspace(1, 0.5, steps, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])

    def draw_times(self, u: Tensor) -> Tensor:
        """Take half of the times at the moment at which the second sublattice is drawn, the others before it."""
        return u.clamp_min(0.5)  # half of them at the one moment at which the second sublattice is drawn

    def _late(self, hidden: Tensor, parity: Tensor, u: Tensor) -> Tensor:
        """The nodes of the sublattice that comes second, (B, N) bool.

        That with fewer nodes shown; ``u`` (B,) decides a tie.
        """
        ahead = self._odd_ahead(hidden, parity)
        odd_first = torch.where(ahead == 0, u < 0.5, ahead > 0)
        return parity == (~odd_first).long()[:, None]

    def _odd_ahead(self, hidden: Tensor, parity: Tensor) -> Tensor:
        """How many more nodes are shown of the odd sublattice than of the even one, (B,)."""
        return (~hidden & (parity == 1)).sum(1) - (~hidden & (parity == 0)).sum(1)

    def _parity(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """The sublattice of every node (N,), and the number of its group (N,)."""
        piece = torus_of(self.lattice, hidden.shape[1])
        if any(side % 2 for side in piece.sides):
            raise ValueError(f"a torus with two sublattices has even sides, got {list(piece.sides)}")
        place = piece.positions()
        half = torch.tensor([side // 2 if side % 4 == 0 else side for side in piece.sides])
        return (place.sum(1) % 2).to(hidden.device), piece.index(place % half).to(hidden.device)
