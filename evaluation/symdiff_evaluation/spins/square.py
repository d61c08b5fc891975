"""The infinite square lattice without a field: what Onsager's energy says of the specific heat."""

from __future__ import annotations

import math

from scipy.special import ellipe, ellipkm1


def specific_heat(temperature: float) -> float:
    """Per site in k_B for J = 1; infinite at the critical temperature.

    (2/pi) (K coth 2K)^2 [2 K1 - 2 E1 - (1 - t) (pi/2 + t K1)], t = 2 tanh^2 2K - 1, K = 1/T, with the complete elliptic integrals K1 and E1
    of the parameter 1 - t^2. Source: Onsager, Crystal statistics I, Phys. Rev. 65 (1944).
    """
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}")
    k = min(1 / temperature, 350.0)  # beyond, nothing is excited
    t = 2 * math.tanh(2 * k) ** 2 - 1
    if abs(t) < 1e-12:
        return math.inf
    first, second = float(ellipkm1(t * t)), float(ellipe(1 - t * t))
    if t == 1:
        return 0.0
    return 2 / math.pi * (k / math.tanh(2 * k)) ** 2 * (2 * first - 2 * second - (1 - t) * (math.pi / 2 + t * first))
