"""Thermodynamics of spin configurations: energy, magnetization, fluctuations, correlations."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from symdiff.spins.autocorrelation import integrated_time
from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.spins.correlation import line_length, moment_length, powers_at
from symdiff_evaluation.spins.observables import Wave, waves
from symdiff_evaluation.spins.reference import SpinReference
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.series import series_mean
from symdiff_evaluation.spins.thermodynamics import binder_cumulant, specific_heat, susceptibility


class Thermodynamics(Metric):
    """Means and fluctuations.

    Where the set holds several Hamiltonians or temperatures, only means over all have a value.
    """

    title = "Thermodynamics"
    about = {
        "energy_per_site": "mean energy per site in J",
        "magnetization": "mean spin, signed (Ising spins only)",
        "abs_magnetization": (
            "mean absolute value of a configuration's mean spin, or the order parameter of Potts or clock spins"
        ),
        "domain_walls": "share of nearest-neighbor bonds between unlike spins",
        "unsatisfied_bonds": "share of bonds whose coupling the spins do not follow",
        "binder_cumulant": "1 - <m^4> / (3 <m^2>^2) of the magnetization",
        "specific_heat": "fluctuation of the energy per site, in k_B",
        "susceptibility": "fluctuation of |m| per site, in 1/J",
        "autocorrelation_time": "integrated autocorrelation time of the energy in records (1/2: independent)",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        observed, chain = spins.observations, spins.chain
        sites, one = math.prod(spins.shape), len(spins.parts) == 1
        energy, m, wrong = observed.energy, observed.magnetization, observed.unsatisfied
        temperature = spins.temperature if one and not math.isnan(spins.temperature or math.nan) else None
        undefined = nothing(len(spins))
        return {
            "energy_per_site": series_mean(energy, chain),
            "magnetization": series_mean(m, chain, -1, 1) if spins.is_ising else undefined,  # labels have no sign
            "abs_magnetization": series_mean(np.abs(m), chain, 0, 1),
            "domain_walls": series_mean(observed.walls, chain, 0, 1),
            "unsatisfied_bonds": undefined if np.isnan(wrong).any() else series_mean(wrong, chain, 0, 1),
            "binder_cumulant": binder_cumulant(m, chain) if one else undefined,
            "specific_heat": specific_heat(energy, sites, temperature, chain) if one else undefined,
            "susceptibility": susceptibility(m, sites, temperature, chain) if one else undefined,
            "autocorrelation_time": nothing()
            if chain is None or not len(spins)
            else Estimate(integrated_time(energy, chain)[0], None, None, len(spins)),
        }


class Correlations(Metric):
    """Of one Hamiltonian at one temperature, around the wave vector of the strongest order."""

    title = "Correlations"
    about = {
        "two_point.half": (
            "two-point function at half the lattice, mean over the axes, times the pattern of the strongest order"
        ),
        "correlation_length.second_moment": "second-moment correlation length in lattice units",
        "correlation_length.exponential": "correlation length of an exponential fit along the axes, in lattice units",
        "structure_factor.peak": "largest structure factor per site, S(k) / N: 1 in full order",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        if len(spins.parts) != 1:
            return {name: nothing(len(spins)) for name in self.about}
        observed, chain, shape = spins.observations, spins.chain, spins.shape
        wave = strongest(spins)
        signs = [-1 if wave[axis] and (size // 2) % 2 else 1 for axis, size in enumerate(shape)]
        columns = [sign * line[:, -1] for sign, line in zip(signs, observed.lines, strict=True)]
        top = [int(k) for k in np.unravel_index(int(observed.power.argmax()), shape)]
        return {
            "two_point.half": series_mean(np.mean(columns, 0), chain, -1, 1),
            "correlation_length.second_moment": moment_length(
                observed.powers[:, waves(shape).index(wave)], shape, chain
            ),
            "correlation_length.exponential": line_length(observed.lines, shape, wave, chain),
            "structure_factor.peak": series_mean(
                reduce(np.add, [powers_at(one, top) for one in spins.components]) / math.prod(shape), chain, 0, 1
            ),
        }


def strongest(spins: Spins) -> Wave:
    """Find the wave vector, of entries 0 and pi, with the largest mean square order parameter.

    Parameters
    ----------
    spins : Spins
        The set.

    Returns
    -------
    tuple of int
        The wave vector, over pi.
    """
    return waves(spins.shape)[int((spins.observations.orders**2).mean(0).argmax())]
