"""Exact ground states of ferromagnets in any field, as minimum cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symdiff.spins.hamiltonian import Hamiltonian

WHOLE = 2**30


@dataclass(frozen=True)
class Cuts:
    """Ground states of B Hamiltonians, each from a minimum cut.

    Parameters
    ----------
    spins : Tensor
        (B, N) int64 labels of a ground state.
    energy : Tensor
        (B,) per site.
    unique : Tensor
        (B,) bool, whether no other configuration has that energy.
    resolution : Tensor
        (B,), how far the energy per site may be above the lowest because couplings were rounded, 0 where they were not.
    """

    spins: Tensor
    energy: Tensor
    unique: Tensor
    resolution: Tensor


def ground_states_in_fields(hamiltonian: Hamiltonian) -> Cuts:
    """Ground states of Ising spins with couplings J >= 0 and fields of both signs, on lattices of any size.

    Source and sink are up and down: a field h binds a spin to one of them with 2|h|, a bond to its neighbor with 2J;
    the minimum cut is the ground state. scipy's maximum flow counts in 32-bit integers, to which couplings and fields
    are scaled; powers of 2 keep halves, quarters, ... exact.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        B of them.

    Returns
    -------
    Cuts
        A ground state of each.

    Raises
    ------
    ValueError
        For other spins and negative couplings.

    References
    ----------
    Picard and Ratliff, Minimum cuts and related problems, Networks 5 (1975).
    """
    if hamiltonian.states != 2 or not torch.equal(
        hamiltonian.interaction, torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double()
    ):
        raise ValueError("minimum cuts are for Ising spins")
    if bool((hamiltonian.coupling < 0).any()):
        raise ValueError("minimum cuts need couplings of at least 0; the transfer matrix takes all, on small tori")
    cuts = [_cut(hamiltonian.select([k])) for k in range(len(hamiltonian))]
    spins = torch.stack([one[0] for one in cuts])
    unique = torch.tensor([one[1] for one in cuts])
    resolution = torch.tensor([one[2] for one in cuts], dtype=torch.float64)
    return Cuts(spins, hamiltonian.energy(spins), unique, resolution)


def _cut(hamiltonian: Hamiltonian) -> tuple[Tensor, bool, float]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    sites = hamiltonian.torus.sites
    start, end, coupling = (t.numpy() for t in (*hamiltonian.bonds()[:2], hamiltonian.bonds()[2][0]))
    field = ((hamiltonian.field[0, :, 0] - hamiltonian.field[0, :, 1]) / 2).numpy()
    most = max(np.abs(field).sum(), 2 * coupling.max(initial=0), 1e-300)
    scale = 2.0 ** np.floor(np.log2(WHOLE / most))
    bonds, pulls = np.rint(coupling * scale).astype(np.int32), np.rint(field * scale).astype(np.int32)
    resolution = 2 * (np.abs(bonds / scale - coupling).sum() + np.abs(pulls / scale - field).sum()) / sites
    source, sink = sites, sites + 1
    up, down = np.flatnonzero(pulls > 0), np.flatnonzero(pulls < 0)
    rows = np.concatenate([start, end, np.full(len(up), source), down])
    columns = np.concatenate([end, start, up, np.full(len(down), sink)])
    capacity = np.concatenate([bonds, bonds, pulls[up], -pulls[down]])
    graph = csr_array((capacity, (rows, columns)), shape=(sites + 2, sites + 2))
    graph.sum_duplicates()
    flow = maximum_flow(graph, source, sink).flow
    rest = (graph - flow).tocsr()
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    above = np.zeros(sites + 2, bool)
    above[breadth_first_order(rest, source, return_predecessors=False)] = True
    below = np.zeros(sites + 2, bool)
    below[breadth_first_order(rest.T.tocsr(), sink, return_predecessors=False)] = True
    spins = torch.from_numpy(np.where(above[:sites], 0, 1))
    return spins, bool((above | below)[:sites].all()), float(resolution)
