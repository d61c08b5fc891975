"""Another set of spins to compare with: Monte Carlo samples, a training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.series import series_mean

QUANTILES = 4096


@dataclass(frozen=True)
class SpinReference:
    """Statistics of another set of spins.

    Parameters
    ----------
    name : str
        The name of the reference.
    count : int
        Number of configurations.
    means : mapping of str to Estimate
        What ``measure_means`` gives.
    quantiles : mapping of str to numpy.ndarray, (q,)
        Sorted values of equal weight of "energy" per site and "magnetization".
    source : str
        Where the data come from.
    model : str
        "ising", "potts" or "clock".
    states : int
        Number of states of a spin.
    """

    name: str
    count: int
    means: Mapping[str, Estimate]
    quantiles: Mapping[str, np.ndarray]
    source: str = ""
    model: str = "ising"
    states: int = 2


def measure_means(spins: Spins) -> dict[str, Estimate]:
    """Estimate means that two sets of the same couplings, field and temperatures have in common if their distributions
    are the same.

    Parameters
    ----------
    spins : Spins
        The set.

    Returns
    -------
    dict of str to Estimate
        "energy" per site, "abs_magnetization", "two_point_half", and "magnetization" of Ising spins.
    """
    observed, chain = spins.observations, spins.chain
    half, m = np.mean([line[:, -1] for line in observed.lines], 0), observed.magnetization
    means = {
        "energy": series_mean(observed.energy, chain),
        "magnetization": series_mean(m, chain, -1, 1),
        "abs_magnetization": series_mean(np.abs(m), chain, 0, 1),
        "two_point_half": series_mean(half, chain, -1, 1),
    }
    return (
        means if spins.is_ising else {name: value for name, value in means.items() if name != "magnetization"}
    )  # labels have no sign


def summarize(spins: Spins, name: str, source: str = "") -> SpinReference:
    """Take the statistics of a set.

    Parameters
    ----------
    spins : Spins
        The set, not empty.
    name : str
        The name of the reference.
    source : str
        Where the data come from.

    Returns
    -------
    SpinReference
        The statistics.
    """
    values = {"energy": spins.observations.energy, "magnetization": spins.observations.magnetization}
    return SpinReference(
        name,
        len(spins),
        measure_means(spins),
        {key: _quantiles(value) for key, value in values.items()},
        source,
        spins.model,
        spins.states,
    )


def _quantiles(values: np.ndarray) -> np.ndarray:
    return (
        np.sort(values) if len(values) <= QUANTILES else np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    )
