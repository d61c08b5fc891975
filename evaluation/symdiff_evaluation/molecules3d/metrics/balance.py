"""Is the distribution of geometries invariant under rotations and under renumbering of the atoms?"""

from __future__ import annotations

from symdiff_evaluation.core.balance import position_balance
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.orientation import orientation_balance
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class GeometryBalance(Metric):
    """Of the readable records.

    Values are p-values, uniform where the distribution is invariant. Data sets that someone aligned or sorted are not.
    """

    title = "Balance of orientations and numberings (p-values)"
    about = {
        "balance.orientations": "geometries are turned in all directions equally often",
        "balance.places": "atoms of each element stand everywhere in the order of the file equally often",
    }

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        known = [samples[k] for k in samples.readable]
        return {
            "balance.orientations": orientation_balance(known).estimate(),
            "balance.places": position_balance([one.numbers.astype(float) for one in known]).estimate(),
        }
