"""Uniqueness among the first thousand and the first ten thousand valid samples, as MOSES reports it."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, distinct
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples


class UniqueAt(Metric):
    """Of the strictly valid samples in the order of the files; where there are fewer, of all of them, and ``count``
    says so.

    References
    ----------
    Polykovskiy et al., Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models, Front.
    Pharmacol. 11 (2020).
    """

    title = "Uniqueness (MOSES)"
    about = {
        "unique@1k": "different molecules among the first 1,000 strictly valid samples",
        "unique@10k": "the same among the first 10,000",
    }

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        valid = samples.valid
        return {
            name: distinct(valid[:most], min(len(valid), most))
            for name, most in (("unique@1k", 1_000), ("unique@10k", 10_000))
        }
