"""Metrics of molecules in 3D."""

from __future__ import annotations

from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.metrics.balance import GeometryBalance
from symdiff_evaluation.molecules3d.metrics.distances import BondLengths, Internal
from symdiff_evaluation.molecules3d.metrics.edm import EDMRule
from symdiff_evaluation.molecules3d.metrics.hands import Hands
from symdiff_evaluation.molecules3d.metrics.perceived import PerceivedBonds
from symdiff_evaluation.molecules3d.metrics.poses import Poses
from symdiff_evaluation.molecules3d.metrics.shapes import Shapes
from symdiff_evaluation.molecules3d.metrics.strain import Strained
from symdiff_evaluation.molecules3d.metrics.xtb import StrainedXTB

METRICS: tuple[Metric, ...] = (
    EDMRule(), PerceivedBonds(), Internal(), BondLengths(), Strained(), StrainedXTB(), Poses(), Shapes(), Hands(), GeometryBalance(),
)  # fmt: skip
