"""The numbers of generic graphs."""

from __future__ import annotations

from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.metrics.balance import Breaking, GraphBalance
from symdiff_evaluation.graphs.metrics.discrepancies import MeanDiscrepancies, PolyGraph
from symdiff_evaluation.graphs.metrics.quality import Quality
from symdiff_evaluation.graphs.metrics.spectre import Spectre
from symdiff_evaluation.graphs.metrics.symmetry import GraphSymmetry

METRICS: tuple[Metric, ...] = (Quality(), Spectre(), MeanDiscrepancies(), PolyGraph(), GraphSymmetry(), Breaking(), GraphBalance())
