"""What configurations have along each direction of bonds: energy, and bonds that the spins do not follow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symdiff.spins.hamiltonian import Hamiltonian, half

Offset = tuple[int, ...]


def list_couplings(hamiltonian: Hamiltonian) -> Iterator[tuple[Offset, np.ndarray]]:
    """Go over the directions of bonds, each bond once.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One or B Hamiltonians.

    Returns
    -------
    iterator of tuple
        The direction, and J from every site that way, (B, L1, ..., Ld).
    """
    star, sides = hamiltonian.star, hamiltonian.torus.sides
    opposite = hamiltonian.torus.lattice.opposite(star)
    for k in half(hamiltonian.torus, star).tolist():
        k = k if is_ahead(star[k].tolist()) else int(opposite[k])
        yield tuple(star[k].tolist()), hamiltonian.coupling[:, :, k].numpy().reshape(-1, *sides)


def is_ahead(offset: list[int] | Offset) -> bool:
    """Tell whether the first step that is not zero is positive: so of an offset and its opposite one is.

    Parameters
    ----------
    offset : sequence of int, (d,)
        Steps along the axes.

    Returns
    -------
    bool
        Whether it is.
    """
    return next((step for step in offset if step), 1) > 0


def energy(spins: np.ndarray, hamiltonian: Hamiltonian) -> np.ndarray:
    """Compute the energy per site, -Σ J s s' - Σ h s, h being the field on label 0.

    Of Ising spins it is ``Hamiltonian.energy``.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Numbers in the place of spins.
    hamiltonian : Hamiltonian
        One for all, or one a configuration.

    Returns
    -------
    numpy.ndarray, (count,)
        In J.
    """
    axes = tuple(range(1, spins.ndim))
    local = hamiltonian.field[..., 0].numpy().reshape(-1, *hamiltonian.torus.sides) * spins
    for offset, coupling in list_couplings(hamiltonian):
        local = local + coupling * (spins * shift(spins, offset))
    return -local.mean(axes, dtype=np.float64)


def unsatisfied_share(spins: np.ndarray, hamiltonian: Hamiltonian) -> np.ndarray:
    """Compute the share of the bonds with J s s' < 0 among those with J != 0.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Ising spins.
    hamiltonian : Hamiltonian
        One for all, or one a configuration.

    Returns
    -------
    numpy.ndarray, (count,) float64
        nan where there is no bond.
    """
    axes = tuple(range(1, spins.ndim))
    wrong, bonds = np.zeros(len(spins)), np.zeros(len(spins))
    for offset, coupling in list_couplings(hamiltonian):
        sign = np.broadcast_to(np.sign(coupling), spins.shape)
        wrong += (sign * (spins * shift(spins, offset)) < 0).sum(axes)
        bonds += (sign != 0).sum(axes)
    return np.divide(wrong, bonds, out=np.full(len(spins), np.nan), where=bonds > 0)


def shift(spins: np.ndarray, offset: Offset) -> np.ndarray:
    """Write the spins at r + offset at r.

    Parameters
    ----------
    spins : numpy.ndarray, (..., L1, ..., Ld)
        The spins.
    offset : tuple of int, (d,)
        Steps along the axes.

    Returns
    -------
    numpy.ndarray
        Of the same shape.
    """
    return np.roll(spins, [-step for step in offset], tuple(range(spins.ndim - len(offset), spins.ndim)))
