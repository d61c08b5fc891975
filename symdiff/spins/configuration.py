"""A configuration of spins with what it belongs to, as arrays with the lattice's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Configuration:
    """Spins on a lattice with the Hamiltonian and the temperature that they belong to.

    What a model does not have is None.

    Parameters
    ----------
    spins : numpy.ndarray or None
        (L1, ..., Ld) int8: ±1 for Ising spins, else labels 0..q-1; None where only the conditions are there.
    coupling : numpy.ndarray, optional
        (L1, ..., Ld, D/2), the bond of a site in each direction of half the star.
    field : numpy.ndarray, optional
        (L1, ..., Ld) for Ising spins, else (L1, ..., Ld, q).
    temperature : float, optional
        In J/k_B.
    lattice : str, optional
        The kind of lattice, from a model of several kinds.
    """

    spins: np.ndarray | None
    coupling: np.ndarray | None = None
    field: np.ndarray | None = None
    temperature: float | None = None
    lattice: str | None = None
