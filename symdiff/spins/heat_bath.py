"""Heat bath: every spin is drawn anew from its distribution given its neighbors, many chains at once."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.spins.coloring import sublattices
from symdiff.spins.hamiltonian import Hamiltonian


class HeatBath:
    """Markov chains with the stationary distribution ∝ exp(−E/T), updated sublattice by sublattice.

    Spins begin at random. Sites come first in memory and chains last, so that a neighbor's spins in all chains are one
    row: fast from 64 chains on.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One for all chains, or one for each.
    temperature : float or Tensor
        A number or (chains,), in J/k_B.
    chains : int
        The number of chains.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Raises
    ------
    ValueError
        For a number of Hamiltonians or temperatures that does not fit the chains, or a temperature that is not above 0.
    """

    def __init__(
        self,
        hamiltonian: Hamiltonian,
        temperature: float | Tensor,
        chains: int,
        generator: torch.Generator | None = None,
    ) -> None:
        if len(hamiltonian) not in (1, chains):
            raise ValueError(f"{chains} chains need 1 or {chains} Hamiltonians, got {len(hamiltonian)}")
        temperature = torch.as_tensor(temperature, dtype=torch.float64)
        if not bool((temperature > 0).all()) or temperature.shape not in ((), (chains,)):
            raise ValueError(f"temperature needs one number or {chains}, more than 0, got {temperature.tolist()}")
        self.hamiltonian, self.chains, self.generator = hamiltonian, chains, generator
        self.beta = (1 / temperature).float().expand(chains).clone()
        w = hamiltonian.interaction
        self._signs = hamiltonian.states == 2 and torch.equal(
            w, torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=w.dtype)
        )
        labels = torch.randint(
            hamiltonian.states, (hamiltonian.torus.sites, chains), generator=generator, dtype=torch.int8
        )
        self._spins = 1 - 2 * labels if self._signs else labels
        self._parts = [_Part(hamiltonian, sites, self._signs) for sites in sublattices(hamiltonian)]

    @property
    def spins(self) -> Tensor:
        """The labels of all chains, (chains, N) int64."""
        return self._labels().T.long().contiguous()

    @spins.setter
    def spins(self, labels: Tensor) -> None:
        moved = labels.T.to(torch.int8).contiguous()
        self._spins = 1 - 2 * moved if self._signs else moved

    def energy(self) -> Tensor:
        """Energies per site, (chains,) float64."""
        if not self._signs:
            return self.hamiltonian.energy(self.spins)
        total = torch.zeros(self.chains, dtype=torch.float64)
        for part in self._parts:
            total = total + part.energy(self._spins)
        return total / self.hamiltonian.torus.sites

    def sweep(self, count: int = 1) -> None:
        """Draw every spin of every chain anew.

        Parameters
        ----------
        count : int
            How many times.
        """
        for _ in range(count):
            for part in self._parts:
                u = torch.rand(len(part.sites), self.chains, generator=self.generator)
                drawn = (
                    part.draw_sign(self._spins, self.beta, u)
                    if self._signs
                    else part.draw_label(self._spins, self.beta, u)
                )
                self._spins[part.sites] = drawn

    def _labels(self) -> Tensor:
        return (1 - self._spins) // 2 if self._signs else self._spins


class _Part:
    """One sublattice.

    Its sites (n,), their neighbors along every bond direction, couplings and fields as (n, chains or 1).
    """

    def __init__(self, hamiltonian: Hamiltonian, sites: Tensor, signs: bool) -> None:
        self.sites = sites
        neighbors, star = hamiltonian.torus.neighbors(hamiltonian.star)[sites], hamiltonian.coupling[:, sites]
        used = [k for k in range(hamiltonian.directions) if bool((star[..., k] != 0).any())]
        self.neighbors = [neighbors[:, k].contiguous() for k in used]
        self.couplings = [star[..., k].T.float().contiguous() for k in used]
        self.interaction = hamiltonian.interaction.float()
        field = hamiltonian.field[:, sites]
        self.field = field.permute(2, 1, 0).float().contiguous()  # (q, n, chains or 1)
        if signs:  # h(s) = mean + drive · s
            self.drive = ((field[..., 0] - field[..., 1]) / 2).T.float().contiguous()
            self.mean = ((field[..., 0] + field[..., 1]) / 2).T.float().contiguous()
        self.fielded = hamiltonian.has_field
        first = star.flatten()[:1]
        self.uniform = float(first) if bool((star[..., used] == first).all()) else None

    def draw_sign(self, spins: Tensor, beta: Tensor, u: Tensor) -> Tensor:
        """±1 by P(+1) = 1/(1 + exp(−2βf)) with the local field f = Σ J s + h: (n, chains) int8."""
        local = self._pull(spins)
        if self.fielded:
            local = local + self.drive
        up = u < torch.sigmoid(2 * beta * local)
        return up.to(torch.int8).mul_(2).sub_(1)

    def energy(self, spins: Tensor) -> Tensor:
        """−½ Σ J s s' − Σ h(s) over the sites of the sublattice.

        Every bond is seen from both of its ends. (chains,) float64.
        """
        own = spins.index_select(0, self.sites)
        paired = (self._pull(spins) * own).sum(0, dtype=torch.float64) / 2
        return -paired - (self.mean + self.drive * own).sum(0, dtype=torch.float64)

    def _pull(self, spins: Tensor) -> Tensor:
        """Σ J s over the neighbors, (n, chains) float32."""
        if self.uniform is not None and self.neighbors:
            total = spins.index_select(0, self.neighbors[0])
            for neighbors in self.neighbors[1:]:
                total += spins.index_select(0, neighbors)
            return total.float().mul_(self.uniform)
        pull = torch.zeros(len(self.sites), spins.shape[1])
        for neighbors, coupling in zip(self.neighbors, self.couplings, strict=True):
            pull += coupling * spins.index_select(0, neighbors)
        return pull

    def draw_label(self, spins: Tensor, beta: Tensor, u: Tensor) -> Tensor:
        """Labels by P(a) ∝ exp(β (Σ J w(a, b) + h(a))): (n, chains) int8."""
        alike = self.uniform is not None
        weight = torch.zeros(len(self.interaction), *u.shape, dtype=torch.int8 if alike else torch.float32)
        for neighbors, coupling in zip(self.neighbors, self.couplings, strict=True):
            neighbor_labels = spins.index_select(0, neighbors)
            # Σ J over the neighbors with this label; their number where J is the same
            for label, total in enumerate(weight):
                total += (neighbor_labels == label) if alike else coupling * (neighbor_labels == label)
        scale = 1.0 if self.uniform is None else self.uniform
        local = torch.tensordot(self.interaction * scale, weight.float(), 1)
        if self.fielded:
            local += self.field
        heap = (beta * (local - local.amax(0))).exp_().cumsum(0)
        u = u * heap[-1]
        drawn = torch.zeros(u.shape, dtype=torch.int8)
        for part in heap[:-1]:
            drawn += part <= u
        return drawn
