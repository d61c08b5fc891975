"""Evaluation of samples: numbers with definitions, denominators and intervals. Knows samples, never models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff_evaluation.core.estimate import Estimate as Estimate
    from symdiff_evaluation.core.estimate import distinct as distinct
    from symdiff_evaluation.core.estimate import fraction as fraction
    from symdiff_evaluation.core.estimate import mean as mean
    from symdiff_evaluation.core.estimate import nothing as nothing
    from symdiff_evaluation.core.estimate import ratio as ratio
    from symdiff_evaluation.core.evaluation import Evaluation as Evaluation
    from symdiff_evaluation.core.evaluation import evaluate as evaluate
    from symdiff_evaluation.core.execution import Execution as Execution
    from symdiff_evaluation.core.metric import Metric as Metric
    from symdiff_evaluation.core.registry import metric as metric
    from symdiff_evaluation.core.sample_files import SampleFiles as SampleFiles
    from symdiff_evaluation.core.write import write as write
    from symdiff_evaluation.molecules.build import build_reference as build_reference
    from symdiff_evaluation.molecules.draw import draw_grid as draw_grid
    from symdiff_evaluation.molecules.reference import Reference as Reference
    from symdiff_evaluation.molecules.samples import from_smiles as from_smiles

__getattr__, __dir__ = face(__name__)
