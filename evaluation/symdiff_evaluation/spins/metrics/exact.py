"""Spin configurations against exact values: signed differences, so that a right sampler's intervals hold zero."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, fraction, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.spins.exact import EQUAL, Exact, find_ground_level, find_infinite_values, find_torus_values
from symdiff_evaluation.spins.reference import SpinReference
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.series import series_mean
from symdiff_evaluation.spins.thermodynamics import binder_cumulant, specific_heat


class ExactValues(Metric):
    """Differences to the exact values of the same torus, and to those of the infinite lattice.

    References
    ----------
    Onsager, Crystal Statistics. I. A Two-Dimensional Model with an Order-Disorder Transition, Physical Review 65
    (1944).
    Kaufman, Crystal Statistics. II. Partition Function Evaluated by Spinor Analysis, Physical Review 76 (1949).
    Yang, The Spontaneous Magnetization of a Two-Dimensional Ising Model, Physical Review 85 (1952).
    """

    title = "Against exact values"
    about = {
        "exact.energy": "energy per site minus that of the torus",
        "exact.specific_heat": "specific heat minus that of the torus",
        "exact.abs_magnetization": "|m| minus that of the torus",
        "exact.binder_cumulant": "Binder cumulant minus that of the torus",
        "exact.two_point_half": "two-point function at half the lattice minus that of the torus",
        "infinite.energy": "energy per site minus Onsager's for the infinite lattice",
        "infinite.specific_heat": "specific heat minus Onsager's for the infinite lattice",
        "infinite.abs_magnetization": "|m| minus Yang's magnetization of the infinite lattice",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        if len(spins.parts) != 1:
            return {name: nothing(len(spins)) for name in self.about}
        part, observed = spins.parts[0], spins.observations
        chain, sites = part.chain, math.prod(part.shape)
        torus, infinite = find_torus_values(part) or Exact("none"), find_infinite_values(part) or Exact("none")
        energy, m = observed.energy, observed.magnetization
        mean_energy, size = series_mean(energy, chain), series_mean(np.abs(m), chain)
        heat = specific_heat(energy, sites, part.temperature, chain)
        line = observed.lines[torus.axis][:, -1] if torus.two_point is not None else energy
        return {
            "exact.energy": _minus(mean_energy, torus.energy),
            "exact.specific_heat": _minus(heat, torus.specific_heat),
            "exact.abs_magnetization": _minus(size, torus.abs_magnetization),
            "exact.binder_cumulant": _minus(binder_cumulant(m, chain), torus.binder),
            "exact.two_point_half": _minus(
                series_mean(line, chain), None if torus.two_point is None else float(torus.two_point[-1])
            ),
            "infinite.energy": _minus(mean_energy, infinite.energy),
            "infinite.specific_heat": _minus(heat, infinite.specific_heat),
            "infinite.abs_magnetization": _minus(size, infinite.abs_magnetization),
        }


class GroundStates(Metric):
    """Against the exact ground states of each sample's own couplings and field."""

    title = "Ground states"
    about = {
        "ground.share": "samples whose energy is exactly the lowest",
        "ground.energy_gap": "mean energy per site above the lowest, in J",
        "ground.states_found": "different ground states found, of those that exist",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        gaps, chain, seen, exist, undecided, uncounted = [], [], 0.0, 0.0, 0, 0
        for part in spins.parts:
            lowest = find_ground_level(part)
            if lowest is None:
                undecided += len(part)
                continue
            gap = part.observations.energy - lowest.energy
            gaps.append(np.where(gap < EQUAL, 0.0, gap))
            chain.append(np.zeros(0) if part.chain is None else part.chain)
            if lowest.count is None:
                uncounted += len(part)
                continue
            flat = part.configurations.reshape(len(part), -1)
            seen, exist = seen + len(np.unique(flat[gap < EQUAL], axis=0)), exist + lowest.count
        every = np.concatenate(gaps) if gaps else np.zeros(0)
        if not len(every):
            return {name: nothing(undecided) for name in self.about}
        series = np.concatenate(chain) if spins.chain is not None else None
        return {
            "ground.share": fraction(int((every == 0).sum()), len(every), undecided),
            "ground.energy_gap": replace(series_mean(every, series, low=0.0), undecided=undecided),
            "ground.states_found": Estimate(seen / exist, None, None, int(exist), undecided + uncounted)
            if exist
            else nothing(undecided + uncounted),
        }


def _minus(estimate: Estimate, exact: float | None) -> Estimate:
    if exact is None or estimate.value is None:
        return nothing(estimate.count + estimate.undecided)
    low, high = (None if end is None else end - exact for end in (estimate.low, estimate.high))
    return Estimate(estimate.value - exact, low, high, estimate.count, estimate.undecided)
