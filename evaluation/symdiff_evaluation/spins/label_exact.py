"""Exact values of Potts and clock models on small tori, by the package's transfer matrix."""

from __future__ import annotations

from symdiff.spins.exact import ground_states, log_partition
from symdiff.spins.hamiltonian import Hamiltonian
from symdiff.spins.transfer import Sweep

LARGEST = 100
"""Sites of a torus that is tried."""
_WORK = 3e8  # additions of one sweep: seconds
_STEP = 5e-3  # of the inverse temperature, relative: differences of fourth order are right to about 1e-8


def find_thermal_values(model: Hamiltonian, temperature: float) -> tuple[float, float] | None:
    """Find energy and specific heat from derivatives of ln Z by the transfer matrix.

    Parameters
    ----------
    model : Hamiltonian
        Of Potts or clock spins.
    temperature : float
        In J/k_B.

    Returns
    -------
    tuple of float, or None
        Energy per site in J and specific heat per site in k_B; None where the torus is too large.
    """
    if not _covers(model):
        return None
    beta = 1 / temperature
    logs = [float(log_partition(model, 1 / (beta * (1 + k * _STEP)))[0]) for k in (-2, -1, 0, 1, 2)]
    slope = (logs[0] - 8 * logs[1] + 8 * logs[3] - logs[4]) / (12 * _STEP * beta)
    bend = (-logs[0] + 16 * logs[1] - 30 * logs[2] + 16 * logs[3] - logs[4]) / (12 * _STEP**2)
    return -slope / model.torus.sites, bend / model.torus.sites


def find_lowest(model: Hamiltonian) -> tuple[float, float | None] | None:
    """Find the lowest energy without a field.

    In a ferromagnet all labels are alike, and if every coupling is more than 0 that leaves q configurations. Otherwise
    by the transfer matrix.

    Parameters
    ----------
    model : Hamiltonian
        Of Potts or clock spins.

    Returns
    -------
    tuple or None
        Energy per site in J, and the number of configurations that have it, None where not known; None where the torus
        is too large.
    """
    couplings = model.bonds()[2]
    if bool((couplings >= 0).all()):
        energy = -float(couplings.sum()) / model.torus.sites
        if bool((couplings > 0).all()):
            return energy, float(model.states)
        if not _covers(model):
            return energy, None
    if not _covers(model):
        return None
    exact = ground_states(model)
    return float(exact.energy[0]), float(exact.count[0])


def _covers(model: Hamiltonian) -> bool:
    """Whether a sweep takes seconds."""
    if model.torus.sites > LARGEST:
        return False
    try:
        sweep = Sweep(model)
    except (ValueError, OverflowError):  # more work than is ever done
        return False
    return model.torus.sites * float(model.states) ** (len(sweep.first) + sweep.widest) <= _WORK
