"""How symmetric the samples are: the automorphism groups of their heavy-atom graphs."""

from __future__ import annotations

import math

import numpy as np

from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate, fraction, mean
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import SYMMETRY


class MoleculeSymmetry(Metric):
    """Of the strictly valid samples, repeats counted.

    Nodes are labeled by element, charge and hydrogens, edges by bond.
    """

    title = "Symmetry"
    about = {
        "symmetry.asymmetric_share": "samples whose only automorphism is the identity",
        "symmetry.log_order": "mean natural logarithm of the order of the automorphism group",
        "symmetry.orbit_share": "mean number of orbits of heavy atoms, per heavy atom (1: no two are alike)",
        "symmetry.order_distance": "distribution of the order against the reference: total variation",
        "symmetry.log_order_distance": "distribution of its logarithm against the reference: Wasserstein",
    }
    compares = frozenset({"symmetry.order_distance", "symmetry.log_order_distance"})
    needs = dict.fromkeys(about, frozenset({SYMMETRY}))

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        known = [(t.order, t.orbits / t.size) for t in samples.traits if t.order is not None and t.orbits is not None]
        undecided = len(samples.traits) - len(known)
        orders = [order for order, _ in known]
        logs = np.array([math.log(order) for order in orders])  # an order may be beyond what a float holds
        orbits = np.array([share for _, share in known], np.float64)
        estimates = {
            "symmetry.asymmetric_share": fraction(orders.count(1), len(orders), undecided),
            "symmetry.log_order": _mean(logs, undecided, math.inf),
            "symmetry.orbit_share": _mean(orbits, undecided, 1.0),
        }
        if reference is None:
            return estimates
        distribution = reference.counts["order"]
        levels = np.array([math.log(int(order)) for order in distribution])
        weights = np.array(list(distribution.values()), np.float64)
        return estimates | {
            "symmetry.order_distance": total_variation([{str(order): 1} for order in orders], distribution, undecided),
            "symmetry.log_order_distance": wasserstein(logs, levels, weights, undecided),
        }


def _mean(values: np.ndarray, undecided: int, most: float) -> Estimate:
    """The mean of values that lie between 0 and ``most``; so does its interval."""
    return mean(math.fsum(values), math.fsum(values * values), len(values), undecided).clip(0.0, most)
