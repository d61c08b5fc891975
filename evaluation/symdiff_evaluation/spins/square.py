"""The infinite square lattice without a field: Onsager's energy and specific heat, Yang's magnetization."""

from __future__ import annotations

import math

from scipy.special import ellipe, ellipkm1

CRITICAL = 2 / math.log(1 + math.sqrt(2))  # temperature in J/k_B where the ordered phase ends


def energy(temperature: float, j: float = 1.0) -> float:
    """Mean energy per site in the unit of J, both directions alike; j may be negative.

    Source: Onsager, Crystal statistics I, Phys. Rev. 65 (1944).
    """
    k = _checked(temperature, j)
    t = _slope(k)
    if abs(t) < 1e-12:
        return -abs(j) * math.sqrt(2)
    return -abs(j) / math.tanh(2 * k) * (1 + 2 / math.pi * t * float(ellipkm1(t * t)))


def specific_heat(temperature: float, j: float = 1.0) -> float:
    """Per site in k_B; infinite at the critical temperature. Source as above."""
    k = _checked(temperature, j)
    t = _slope(k)
    if abs(t) < 1e-12:
        return math.inf
    first, second = float(ellipkm1(t * t)), float(ellipe(1 - t * t))
    bracket = 2 * first - 2 * second - (1 - t) * (math.pi / 2 + t * first)
    return 2 / math.pi * (k / math.tanh(2 * k)) ** 2 * bracket


def magnetization(temperature: float, jx: float = 1.0, jy: float | None = None) -> float:
    """Spontaneous |m| (of the staggered kind where a coupling is negative), zero above the critical temperature.

    Source: Yang, The spontaneous magnetization of a two-dimensional Ising model, Phys. Rev. 85 (1952); with two couplings
    Chang, ibid. 88 (1952).
    """
    one = math.sinh(2 * _checked(temperature, jx))
    two = math.sinh(2 * _checked(temperature, jx if jy is None else jy))
    product = one * two
    return (1 - product**-2) ** 0.125 if product > 1 else 0.0


def _slope(k: float) -> float:
    """2 tanh^2(2K) - 1: its square is one minus the elliptic modulus squared."""
    return 2 * math.tanh(2 * k) ** 2 - 1


def _checked(temperature: float, j: float) -> float:
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}")
    return min(abs(j) / temperature, 350.0)  # beyond, hyperbolic functions of 2K overflow and nothing is excited
