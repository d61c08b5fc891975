"""The numbers of generic graphs."""

from __future__ import annotations

from symdiff_evaluation.metrics.base import Metric
from symdiff_evaluation.metrics.graphs.balance import Breaking, GraphBalance
from symdiff_evaluation.metrics.graphs.discrepancies import MeanDiscrepancies, PolyGraph
from symdiff_evaluation.metrics.graphs.quality import Quality
from symdiff_evaluation.metrics.graphs.symmetry import GraphSymmetry

METRICS: tuple[Metric, ...] = (Quality(), MeanDiscrepancies(), PolyGraph(), GraphSymmetry(), Breaking(), GraphBalance())
