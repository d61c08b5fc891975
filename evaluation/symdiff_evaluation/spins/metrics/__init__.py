"""The numbers of spin lattices: one file a metric."""

from __future__ import annotations

from symdiff_evaluation.core.metric import Metric, collect

METRICS: tuple[Metric, ...] = collect(__name__)
