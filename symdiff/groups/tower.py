"""The sublattices of a torus, each half as dense as the one before, and which of them a set of sites fills."""

from __future__ import annotations

from functools import cache, cached_property

import torch
from torch import Tensor

from symdiff.groups.torus import Torus

HALVINGS = {"chain": [[2]], "square": [[1, -1], [1, 1]]}
"""M, which carries the lattice to one of the same kind with every second site.

On the square lattice a turn by 45 degrees, longer by √2.
"""

TABULATED = 4096
"""Sites up to which the depths from every site are kept: so many squared bytes."""


class Tower:
    """Λ_0 ⊃ Λ_1 ⊃ … ⊃ Λ_K: Λ_k is M^k Z^d modulo the torus, with N/2^k sites; K is as large as the torus allows.

    Every Λ_k is again a lattice of the same kind, with the same point group. Its 2^k cosets have numbers, alike at all
    sites of one.

    Parameters
    ----------
    torus : Torus
        Λ_0, of N sites.

    Raises
    ------
    ValueError
        For a lattice that does not halve into its like, or a torus with an odd side.
    """

    def __init__(self, torus: Torus) -> None:
        if torus.lattice.kind not in HALVINGS:
            raise ValueError(
                f"lattice: expected one that halves into its like ({', '.join(HALVINGS)}), got {torus.lattice.kind!r}"
            )
        self.torus, self.halving = torus, torch.tensor(HALVINGS[torus.lattice.kind])
        periods, self.top = torch.diag(torch.tensor(torus.sides)), 0
        while bool(self._inside(periods, self.top + 1).all()):
            self.top += 1
        if not self.top:
            raise ValueError(f"a torus with sublattices has even sides, got {list(torus.sides)}")

    def power(self, level: int) -> Tensor:
        """Compute the matrix M^level, which carries Λ_0 to Λ_level.

        Parameters
        ----------
        level : int
            From 0 to K.

        Returns
        -------
        Tensor, (d, d) int64
            The power.
        """
        return torch.linalg.matrix_power(self.halving, level)

    def size(self, level: int) -> int:
        """Count the sites of Λ_level.

        Parameters
        ----------
        level : int
            From 0 to K.

        Returns
        -------
        int
            N / 2^level.
        """
        return self.torus.sites >> level

    @cached_property
    def depth(self) -> Tensor:
        """The last Λ_k that every site is in, (N,) int64; of the first site K."""
        inside = [self._inside(self.torus.positions(), level) for level in range(1, self.top + 1)]
        return torch.stack([torch.zeros(self.torus.sites, dtype=torch.bool), *inside]).sum(0)

    @cached_property
    def _from_every_site(self) -> Tensor:
        place = self.torus.positions()
        return torch.stack([self.depth[self.torus.index(place - start)] for start in place]).to(torch.int8)

    def from_site(self, origin: Tensor) -> Tensor:
        """Compute ``depth`` with other sites at the origin.

        Parameters
        ----------
        origin : Tensor, (B,) or (B, N) int64
            The site at the origin, for every row or for every site of every row.

        Returns
        -------
        Tensor, (B, N) int64
            The last Λ_k around the origin that each site is in.
        """
        every = torch.arange(self.torus.sites)
        if len(every) <= TABULATED:
            return self._from_every_site[origin if origin.ndim == 2 else origin[:, None], every].long()
        place = self.torus.positions()
        return self.depth[self.torus.index(place - place[origin if origin.ndim == 2 else origin[:, None]])]

    @cache  # noqa: B019 - a lattice's tower lives as long as the network that reads it
    def cosets(self, level: int) -> tuple[Tensor, Tensor]:
        """Divide the sites into the cosets of Λ_level.

        Parameters
        ----------
        level : int
            From 0 to K.

        Returns
        -------
        coset : Tensor, (N,) int64
            The coset that every site is in, from 0 to 2^level - 1.
        members : Tensor, (2^level, N/2^level) int64
            The sites of every coset, in the order of those of Λ_level.
        """
        place, power = self.torus.positions(), self.power(level)
        cells = (place.double() @ torch.linalg.inv(power.double()).T).floor().long()
        within, coset = (place - cells @ power.T).unique(dim=0, return_inverse=True)
        return coset, self.torus.index(within[:, None] + place[self.depth >= level])

    @cache  # noqa: B019 - a lattice's tower lives as long as the network that reads it
    def stencil(self, level: int) -> Tensor:
        """Find the nearest sites within a coset of Λ_level, in every direction, then the site itself.

        Sites are numbers within the coset, as ``cosets`` counts them.

        Parameters
        ----------
        level : int
            From 0 to K.

        Returns
        -------
        Tensor, (N/2^level, D + 1) int64
            For every site of a coset, its neighbors and itself.
        """
        place, star = self.torus.positions(), self.torus.lattice.shells[0]
        own = (self.depth >= level).nonzero()[:, 0]
        number = torch.full((self.torus.sites,), -1).index_put((own,), torch.arange(len(own)))
        near = number[self.torus.index(place[own][:, None] + star @ self.power(level).T)]
        return torch.cat([near, torch.arange(len(own))[:, None]], 1)

    def fullest(self, shown: Tensor, level: int) -> Tensor:
        """Find the coset of Λ_level with the most shown sites.

        Parameters
        ----------
        shown : Tensor, (B, N) bool
            Which sites are shown.
        level : int
            From 0 to K.

        Returns
        -------
        Tensor, (B,) int64
            The number of the coset.
        """
        coset, members = self.cosets(level)
        counts = torch.zeros(len(shown), len(members), device=shown.device)
        return counts.index_add_(1, coset.to(shown.device), shown.float()).argmax(1)

    def stage(self, count: Tensor) -> Tensor:
        """Find the Λ_k that is being filled, from the number of sites that are shown.

        A coset of Λ_{k+1} is shown already where k < K.

        Parameters
        ----------
        count : Tensor, (B,) int64
            How many sites are shown.

        Returns
        -------
        Tensor, (B,) int64
            k; 0 where all sites are shown.
        """
        sizes = torch.tensor(
            [self.size(level + 1) for level in range(self.top)], dtype=torch.int64, device=count.device
        )
        return (count[:, None] < sizes).sum(1)

    def _inside(self, place: Tensor, level: int) -> Tensor:
        """Whether integer vectors (M, d) are in M^level Z^d, (M,) bool."""
        inverse = torch.linalg.inv(self.power(level).double())
        cells = place.double() @ inverse.T
        return (cells - cells.round()).abs().amax(1) < 1e-9


@cache
def tower(torus: Torus) -> Tower:
    """Make the tower of sublattices of a torus.

    Parameters
    ----------
    torus : Torus
        Λ_0.

    Returns
    -------
    Tower
        The same object for the same torus.

    Raises
    ------
    ValueError
        For a lattice that does not halve into its like, or a torus with an odd side.
    """
    return Tower(torus)
