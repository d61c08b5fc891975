"""Metrics of molecules in 3D."""

from __future__ import annotations

from symdiff_evaluation.metrics.base import Metric
from symdiff_evaluation.metrics.geometry.balance import GeometryBalance
from symdiff_evaluation.metrics.geometry.distances import BondLengths, Internal
from symdiff_evaluation.metrics.geometry.edm import EDMRule
from symdiff_evaluation.metrics.geometry.hands import Hands
from symdiff_evaluation.metrics.geometry.perceived import PerceivedBonds
from symdiff_evaluation.metrics.geometry.poses import Poses
from symdiff_evaluation.metrics.geometry.shapes import Shapes
from symdiff_evaluation.metrics.geometry.strain import Strained
from symdiff_evaluation.metrics.geometry.xtb import StrainedXTB

METRICS: tuple[Metric, ...] = (
    EDMRule(), PerceivedBonds(), Internal(), BondLengths(), Strained(), StrainedXTB(), Poses(), Shapes(), Hands(), GeometryBalance(),
)  # fmt: skip
