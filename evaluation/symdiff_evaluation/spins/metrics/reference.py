"""Spin configurations against those of another sampler.

Signed differences, so that a right sampler's intervals hold zero.
"""

from __future__ import annotations

import math

from symdiff.errors import UserError
from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.spins.reference import SpinReference, measure_means
from symdiff_evaluation.spins.samples import Spins


class SpinDifferences(Metric):
    """Means minus those of the reference, which is taken to be of the same couplings, field and temperatures.

    Raises ``UserError`` where its spins are of another model.
    """

    title = "Against the reference"
    about = {
        "reference.energy": "energy per site minus the reference's, in J",
        "reference.magnetization": "mean spin, signed, minus the reference's",
        "reference.abs_magnetization": "|m| minus the reference's",
        "reference.two_point_half": "two-point function at half the lattice, mean over the axes, minus the reference's",
    }
    compares = frozenset(about)

    def __call__(self, spins: Spins, reference: SpinReference | None) -> dict[str, Estimate]:
        if reference is None or not len(spins):
            return {name: nothing() for name in self.about}
        if (reference.model, reference.states) != (spins.model, spins.states):
            ours, theirs = (f"{one.states}-state {one.model}" for one in (spins, reference))
            raise UserError(f"reference {reference.name}: expected {ours} spins, as the samples are, got {theirs}")
        differences = {
            f"reference.{name}": difference(value, reference.means[name])
            for name, value in measure_means(spins).items()
        }
        return {name: differences.get(name, nothing(len(spins))) for name in self.about}


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Estimate the difference of two independent estimates; half widths add as roots of squares.

    Parameters
    ----------
    one, other : Estimate
        The two.

    Returns
    -------
    Estimate
        The first minus the second.
    """
    if one.value is None or other.value is None:
        return nothing(one.count + one.undecided)
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Estimate(value, None, None, one.count)
    down = math.hypot(one.value - one.low, other.high - other.value)
    up = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, value - down, value + up, one.count)
