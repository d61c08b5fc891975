"""PoseBusters."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, fraction
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.poses import require
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class Poses(Metric):
    """PoseBusters' checks with perceived bonds; needs the package ``posebusters``.

    It relaxes fifty conformers of each molecule: seconds for one.

    References
    ----------
    Buttenschoen, Morris, Deane, PoseBusters: AI-based docking methods fail to generate physically valid poses or
    generalise to novel sequences, Chem. Sci. 15 (2024).
    """

    title = "PoseBusters"
    about = {"poses.valid": "passes every check of PoseBusters' configuration for single molecules"}

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        require()
        known = [one for one in samples.poses if not isinstance(one, Undetermined)]
        lost = len(samples.poses) - len(known)
        return {
            "poses.valid": fraction(sum(bool(one) and all(one.values()) for one in known), len(samples) - lost, lost)
        }
