"""Fluctuations: Binder cumulant, specific heat, susceptibility."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.spins.series import estimate_function


def binder_cumulant(order: np.ndarray, chain: np.ndarray | None = None) -> Estimate:
    """U = 1 - <m^4> / (3 <m^2>^2) of an order parameter (count,): 2/3 in full order, 0 for a Gaussian around zero.

    Source: Binder, Finite size scaling analysis of Ising model block distribution functions, Z. Phys. B 43 (1981).
    """
    columns = np.stack([order**2, order**4], 1)
    return estimate_function(lambda m: 1 - m[1] / (3 * m[0] ** 2) if m[0] > 0 else np.nan, columns, chain, high=2 / 3)


def specific_heat(
    energy: np.ndarray, sites: int, temperature: float | None, chain: np.ndarray | None = None
) -> Estimate:
    """C = N (<e^2> - <e>^2) / T^2 per site, in k_B, from energies per site (count,); no value without a temperature."""
    if not temperature:
        return nothing(len(energy))
    scale = sites / temperature**2
    # around a fixed number, so that large energies do not cancel
    shifted = energy - energy.mean() if len(energy) else energy
    return estimate_function(lambda m: scale * (m[1] - m[0] ** 2), np.stack([shifted, shifted**2], 1), chain, low=0.0)


def susceptibility(
    order: np.ndarray, sites: int, temperature: float | None, chain: np.ndarray | None = None
) -> Estimate:
    """chi = N (<m^2> - <|m|>^2) / T per site, in 1/J, of an order parameter; no value without a temperature."""
    if not temperature:
        return nothing(len(order))
    scale = sites / temperature
    size = np.abs(order)
    return estimate_function(lambda m: scale * (m[1] - m[0] ** 2), np.stack([size, size**2], 1), chain, low=0.0)
