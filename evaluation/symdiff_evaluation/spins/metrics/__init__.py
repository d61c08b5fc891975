"""The numbers of spin lattices."""

from __future__ import annotations

from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.spins.metrics.exact import ExactValues, GroundStates
from symdiff_evaluation.spins.metrics.reference import SpinDifferences
from symdiff_evaluation.spins.metrics.symmetry import Balance, Order, SpinSymmetry
from symdiff_evaluation.spins.metrics.thermodynamics import Correlations, Thermodynamics

METRICS: tuple[Metric, ...] = (Thermodynamics(), Correlations(), ExactValues(), GroundStates(), Order(), SpinSymmetry(), Balance(), SpinDifferences())
