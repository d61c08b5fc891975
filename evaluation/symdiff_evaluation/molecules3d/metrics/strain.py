"""Strain energies by MMFF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from symdiff_evaluation.core.distances import wasserstein
from symdiff_evaluation.core.estimate import Estimate, fraction, nothing
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class StrainEnergy(Metric):
    """Strain of the molecules that MMFF94s has types for and could relax; all others are undecided and counted.

    References
    ----------
    Halgren, MMFF VI. MMFF94s option for energy minimization studies, J. Comput. Chem. 20 (1999).
    """

    title = "Strain (MMFF94s)"
    about = {
        "strain.mmff": "median energy in kcal/mol that relaxing to the nearest minimum gives",
        "strain.mmff_per_atom": "the same per atom, hydrogens among them",
        "strain.mmff_shift": "median RMSD in angstrom between geometry and minimum",
        "strain.mmff_typed": "MMFF94s has a type for every atom, of the readable records that are one molecule",
        "strain.mmff_distance": "strain per atom against the reference: Wasserstein, in kcal/mol",
    }
    compares = frozenset({"strain.mmff_distance"})

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        known = [one for one in samples.strains if not isinstance(one, Undetermined)]
        good = [one for one in known if one.energy is not None]
        lacking = sum(one.reason.startswith("type") for one in known)
        lost = len(samples) - len(good)
        unsure = len(samples) - len(good) - lacking
        each = np.array([one.energy / one.atoms for one in good])
        estimates = {
            "strain.mmff": median([one.energy for one in good], lost),
            "strain.mmff_per_atom": median(each, lost),
            "strain.mmff_shift": median([one.shift for one in good], lost),
            "strain.mmff_typed": fraction(len(good), len(good) + lacking, unsure),
        }
        if reference is None or "strain" not in reference.quantiles:
            return estimates
        return estimates | {"strain.mmff_distance": wasserstein(each, reference.quantiles["strain"], undecided=lost)}


def median(values: Sequence[float] | np.ndarray, undecided: int = 0) -> Estimate:
    """Estimate the median.

    The interval lies between two order statistics and covers the median with at least 95 %, for any distribution.

    Parameters
    ----------
    values : sequence of float
        The numbers.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        The median.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    count = len(ordered)
    if not count:
        return nothing(undecided)
    center = float(np.median(ordered))
    low = int(binom.ppf(0.025, count, 0.5)) - 1  # P(fewer than low + 1 values below the median) <= 2.5 %
    if low < 0:
        return Estimate(center, None, None, count, undecided)
    return Estimate(center, float(ordered[low]), float(ordered[count - 1 - low]), count, undecided)
