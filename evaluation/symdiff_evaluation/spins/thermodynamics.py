"""Fluctuations: Binder cumulant, specific heat, susceptibility."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.spins.series import estimate_function


def binder_cumulant(order: np.ndarray, chain: np.ndarray | None = None) -> Estimate:
    """Estimate the Binder cumulant U = 1 - <m^4> / (3 <m^2>^2): 2/3 in full order, 0 for a Gaussian around zero.

    Parameters
    ----------
    order : numpy.ndarray, (count,)
        An order parameter.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        At most 2/3.

    References
    ----------
    Binder, Finite size scaling analysis of Ising model block distribution functions, Z. Phys. B 43 (1981).
    """
    columns = np.stack([order**2, order**4], 1)
    return estimate_function(lambda m: 1 - m[1] / (3 * m[0] ** 2) if m[0] > 0 else np.nan, columns, chain, high=2 / 3)


def specific_heat(
    energy: np.ndarray, sites: int, temperature: float | None, chain: np.ndarray | None = None
) -> Estimate:
    """Estimate the specific heat C = N (<e^2> - <e>^2) / T^2 per site.

    Parameters
    ----------
    energy : numpy.ndarray, (count,)
        Energies per site, in J.
    sites : int
        N.
    temperature : float, optional
        In J/k_B; no value without one.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        In k_B.
    """
    if not temperature:
        return nothing(len(energy))
    scale = sites / temperature**2
    # around a fixed number, so that large energies do not cancel
    shifted = energy - energy.mean() if len(energy) else energy
    return estimate_function(lambda m: scale * (m[1] - m[0] ** 2), np.stack([shifted, shifted**2], 1), chain, low=0.0)


def susceptibility(
    order: np.ndarray, sites: int, temperature: float | None, chain: np.ndarray | None = None
) -> Estimate:
    """Estimate the susceptibility chi = N (<m^2> - <|m|>^2) / T per site.

    Parameters
    ----------
    order : numpy.ndarray, (count,)
        An order parameter.
    sites : int
        N.
    temperature : float, optional
        In J/k_B; no value without one.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        In 1/J.
    """
    if not temperature:
        return nothing(len(order))
    scale = sites / temperature
    size = np.abs(order)
    return estimate_function(lambda m: scale * (m[1] - m[0] ** 2), np.stack([size, size**2], 1), chain, low=0.0)
