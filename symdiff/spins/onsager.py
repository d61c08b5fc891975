"""The square-lattice Ising model without a field, solved.

Onsager's energy and specific heat, Yang's magnetization, Kaufman's finite torus.
"""

from __future__ import annotations

import math

import torch

CRITICAL = 2 / math.log(1 + math.sqrt(2))
"""The critical temperature in J/k_B."""


def onsager_energy(temperature: float) -> float:
    """Compute the energy per site of the infinite lattice, J = 1.

    u = −coth(2K) [1 + (2/π)(2 tanh²(2K) − 1) K₁(κ)], κ = 2 sinh(2K)/cosh²(2K) with K = 1/T.

    Parameters
    ----------
    temperature : float
        T in J/k_B, above 0.

    Returns
    -------
    float
        In J.

    References
    ----------
    Onsager, Crystal statistics I, Phys. Rev. 65 (1944).
    """
    from scipy.special import ellipkm1

    x = 2 / _check(temperature)
    rest = (math.sinh(x) ** 2 - 1) ** 2 / math.cosh(x) ** 4 if x < 300 else 1.0  # 1 − κ², without cancellation
    bracket = 2 * math.tanh(x) ** 2 - 1
    singular = 2 / math.pi * bracket * float(ellipkm1(rest)) if rest > 0 else 0.0
    return -(1 + singular) / math.tanh(x)


def onsager_specific_heat(temperature: float) -> float:
    """Compute the specific heat per site of the infinite lattice, J = 1.

    (2/pi) (K coth 2K)^2 [2 K1 - 2 E1 - (1 - t) (pi/2 + t K1)], t = 2 tanh^2 2K - 1, K = 1/T, with the complete elliptic
    integrals K1 and E1 of the parameter 1 - t^2.

    Parameters
    ----------
    temperature : float
        T in J/k_B, above 0.

    Returns
    -------
    float
        In k_B; infinite at the critical temperature.

    References
    ----------
    Onsager, Crystal statistics I, Phys. Rev. 65 (1944).
    """
    from scipy.special import ellipe, ellipkm1

    k = min(1 / _check(temperature), 350.0)  # beyond, nothing is excited
    t = 2 * math.tanh(2 * k) ** 2 - 1
    if abs(t) < 1e-12:
        return math.inf
    first, second = float(ellipkm1(t * t)), float(ellipe(1 - t * t))
    if t == 1:
        return 0.0
    return 2 / math.pi * (k / math.tanh(2 * k)) ** 2 * (2 * first - 2 * second - (1 - t) * (math.pi / 2 + t * first))


def yang_magnetization(temperature: float) -> float:
    """Compute the spontaneous magnetization per site, (1 − sinh(2/T)^−4)^(1/8).

    Parameters
    ----------
    temperature : float
        T in J/k_B, above 0.

    Returns
    -------
    float
        From 0 to 1; 0 from the critical temperature on.

    References
    ----------
    Yang, The spontaneous magnetization of a two-dimensional Ising model, Phys. Rev. 85 (1952).
    """
    x = 2 / _check(temperature)
    if temperature >= CRITICAL:
        return 0.0
    return (1 - math.sinh(x) ** -4) ** 0.125 if x < 100 else 1.0


def kaufman_log_partition(rows: int, columns: int, temperature: float) -> float:
    """Compute ln Z of a torus, J = 1.

    Z = ½ (2 sinh 2K)^(nm/2) Σ of four products over the momenta.

    Parameters
    ----------
    rows, columns : int
        The sides of the torus.
    temperature : float
        T in J/k_B, above 0.

    Returns
    -------
    float
        ln Z of all spins.

    References
    ----------
    Kaufman, Crystal statistics II, Phys. Rev. 76 (1949).
    """
    k = torch.tensor(1 / _check(temperature), dtype=torch.float64)
    r = torch.arange(2 * columns, dtype=torch.float64)
    c = torch.cosh(2 * k) / torch.tanh(2 * k) - torch.cos(math.pi * r / columns)
    gamma = torch.acosh(c.clamp_min(1))
    gamma[0] = 2 * k + torch.log(torch.tanh(k))  # the only one that changes its sign at the critical point
    half = rows / 2 * gamma
    logs, signs = [], []
    for part in (half[1::2], half[::2]):
        size = part.abs()
        even = size + torch.log1p(torch.exp(-2 * size))  # ln 2 cosh
        odd = size + torch.log((-torch.expm1(-2 * size)).clamp_min(1e-300))  # ln 2 |sinh|
        logs += [even.sum(), odd.sum()]
        signs += [1.0, float(torch.sign(part).prod())]
    logs = torch.stack(logs)
    most = logs.max()
    # Z with sinh of the signed half-angles: below the critical temperature γ_0 > 0 and all four terms add up
    total = (torch.tensor(signs, dtype=torch.float64) * torch.exp(logs - most)).sum()
    return float(rows * columns / 2 * torch.log(2 * torch.sinh(2 * k)) - math.log(2) + most + torch.log(total))


def kaufman_energy(rows: int, columns: int, temperature: float, step: float = 1e-3) -> float:
    """Compute the energy per site of a torus, by a difference of fourth order in 1/T, right to about 1e-8.

    Parameters
    ----------
    rows, columns : int
        The sides of the torus.
    temperature : float
        T in J/k_B, above 0.
    step : float
        The step of the difference, as a fraction of 1/T.

    Returns
    -------
    float
        In J.
    """
    beta = 1 / _check(temperature)
    total = sum(
        weight * kaufman_log_partition(rows, columns, 1 / (beta * (1 + k * step)))
        for k, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1))
    )
    return -total / (12 * step * beta) / (rows * columns)


def _check(temperature: float) -> float:
    if not temperature > 0:
        raise ValueError(f"temperature must be more than 0, got {temperature}")
    return temperature
