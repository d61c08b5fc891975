"""Sites that do not see each other: the sublattices of a parallel update."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian


def sublattices(hamiltonian: Hamiltonian) -> list[Tensor]:
    """Divide the sites into few groups without a bond inside: two on a square lattice of even side.

    Greedy, in the order of the sites.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        Bonds of which all B couplings are 0 do not count.

    Returns
    -------
    list of Tensor
        The sites of each group in order, (n,) int64.

    Raises
    ------
    ValueError
        For a site with a bond to itself, on a torus that is too short.
    """
    torus = hamiltonian.torus
    used = (hamiltonian.coupling != 0).any(0)  # (N, D)
    neighbors = torus.neighbors(hamiltonian.star).tolist()
    colors = [-1] * torus.sites
    for site, (near, bonded) in enumerate(zip(neighbors, used.tolist(), strict=True)):
        taken = {colors[other] for other, there in zip(near, bonded, strict=True) if there}
        if any(other == site and there for other, there in zip(near, bonded, strict=True)):
            raise ValueError("a site with a bond to itself cannot be updated; take a longer torus")
        colors[site] = next(color for color in range(len(near) + 1) if color not in taken)
    assigned = torch.tensor(colors)
    return [(assigned == color).nonzero()[:, 0] for color in range(max(colors) + 1)]
