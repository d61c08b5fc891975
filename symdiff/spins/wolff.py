"""Wolff's cluster algorithm for Ising, Potts and clock spins, many chains at once."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian


class Wolff:
    """Markov chains that reflect one cluster at a time, for any couplings without a field.

    The stationary distribution is ∝ exp(−E/T). An update draws a reflection R of the labels that leaves w(a, b) as it
    is (for Potts spins it exchanges two labels), a site, and grows its cluster along bonds that join with probability 1
    − exp(−max(0, E(Ra, b) − E(a, b))/T). All bonds are drawn before the cluster grows, which is the same distribution.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One for all chains, without a field.
    temperature : float or Tensor
        A number or (chains,), in J/k_B.
    chains : int
        The number of chains.
    generator : torch.Generator, optional
        Where all random numbers come from.

    Raises
    ------
    ValueError
        For several Hamiltonians or one with a field, or a temperature that is not above 0.

    References
    ----------
    Wolff, Collective Monte Carlo updating for spin systems, Phys. Rev. Lett. 62 (1989).
    """

    def __init__(
        self,
        hamiltonian: Hamiltonian,
        temperature: float | Tensor,
        chains: int,
        generator: torch.Generator | None = None,
    ) -> None:
        if len(hamiltonian) != 1 or hamiltonian.has_field:
            raise ValueError("Wolff clusters need one Hamiltonian without a field; take HeatBath")
        temperature = torch.as_tensor(temperature, dtype=torch.float64)
        if not bool((temperature > 0).all()) or temperature.shape not in ((), (chains,)):
            raise ValueError(f"temperature needs one number or {chains}, more than 0, got {temperature.tolist()}")
        self.hamiltonian, self.chains, self.generator = hamiltonian, chains, generator
        self.beta = (1 / temperature).float().expand(chains).clone()
        torus, directions = hamiltonian.torus, hamiltonian.star
        opposite, neighbors = torus.lattice.opposite(directions), torus.neighbors(directions)
        self._reflections = reflections(hamiltonian.interaction)  # (R, q)
        self._bonds = []
        for k in range(len(directions)):
            coupling = hamiltonian.coupling[0, :, k].float()
            if k < int(opposite[k]) and bool((coupling != 0).any()):
                self._bonds.append((neighbors[:, k], neighbors[:, opposite[k]], coupling[:, None]))
        self._interaction = hamiltonian.interaction.float()
        # E(Ra, b) − E(a, b) per unit of coupling, (R, q, q)
        self._price = self._interaction - self._interaction[self._reflections]
        self._spins = torch.randint(hamiltonian.states, (torus.sites, chains), generator=generator)

    @property
    def spins(self) -> Tensor:
        """The labels of all chains, (chains, N) int64."""
        return self._spins.T.contiguous()

    @spins.setter
    def spins(self, labels: Tensor) -> None:
        self._spins = labels.T.contiguous()

    def energy(self) -> Tensor:
        """Energies per site, (chains,) float64."""
        return self.hamiltonian.energy(self.spins)

    def update(self, count: int = 1) -> Tensor:
        """Reflect clusters in every chain, one after the other.

        Parameters
        ----------
        count : int
            The number of clusters of a chain.

        Returns
        -------
        Tensor
            Their sizes, (count, chains) int64.
        """
        return torch.stack([self._reflect() for _ in range(count)])

    def _reflect(self) -> Tensor:
        sites, states = self._spins.shape[0], len(self._interaction)
        which = torch.randint(len(self._reflections), (self.chains,), generator=self.generator)
        price = self._price[which].permute(1, 2, 0).reshape(states * states, self.chains)
        links = []
        for ahead, behind, coupling in self._bonds:
            pair = self._spins * states + self._spins.index_select(0, ahead)
            cost = (coupling * price.gather(0, pair)).clamp_min_(0)
            u = torch.rand(sites, self.chains, generator=self.generator)
            forward = (u > (-self.beta * cost).exp()).to(torch.uint8)  # joins this site with the one ahead
            links += [(ahead, forward), (behind, forward.index_select(0, behind))]
        cluster = torch.zeros(sites, self.chains, dtype=torch.uint8)
        seed = torch.randint(sites, (self.chains,), generator=self.generator)
        cluster[seed, torch.arange(self.chains)] = 1
        size = cluster.sum(0)
        while True:
            for other, link in links:
                cluster |= link & cluster.index_select(0, other)
            grown = cluster.sum(0)
            if torch.equal(grown, size):
                break
            size = grown
        reflected = self._reflections[which].T.gather(0, self._spins)
        self._spins = torch.where(cluster.bool(), reflected, self._spins)
        return size


def reflections(interaction: Tensor) -> Tensor:
    """List the reflections of the labels that leave the interaction as it is.

    The permutations R with RR = 1, R ≠ 1 and w(Ra, Rb) = w(a, b), among exchanges of two labels and a ↦ m − a.

    Parameters
    ----------
    interaction : Tensor, (q, q)
        w, symmetric.

    Returns
    -------
    Tensor, (R, q) int64
        Each different reflection once.
    """
    states = len(interaction)
    labels = torch.arange(states)
    tried = [(m - labels).remainder(states) for m in range(states)]
    for a in range(states):
        for b in range(a):
            swap = labels.clone()
            swap[a], swap[b] = b, a
            tried.append(swap)
    symmetric = [
        r for r in tried if not torch.equal(r, labels) and torch.allclose(interaction[r][:, r], interaction, atol=1e-12)
    ]
    return torch.stack(symmetric).unique(dim=0)
