"""The numbers of molecular graphs."""

from __future__ import annotations

from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.metrics.balance import NumberingBalance
from symdiff_evaluation.molecules.metrics.breaking import Breaking
from symdiff_evaluation.molecules.metrics.distances import Distances
from symdiff_evaluation.molecules.metrics.diversity import Diversity
from symdiff_evaluation.molecules.metrics.fcd import FCD
from symdiff_evaluation.molecules.metrics.moses import Moses
from symdiff_evaluation.molecules.metrics.stability import Stability
from symdiff_evaluation.molecules.metrics.symmetry import Symmetry
from symdiff_evaluation.molecules.metrics.unique_at import UniqueAt
from symdiff_evaluation.molecules.metrics.validity import Validity

METRICS: tuple[Metric, ...] = (Validity(), Diversity(), Stability(), FCD(), Distances(), Symmetry(), Breaking(), NumberingBalance(), Moses(), UniqueAt())
