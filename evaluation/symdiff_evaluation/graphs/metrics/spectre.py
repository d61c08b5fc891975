"""Validity of stochastic block models as published numbers have it."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, fraction, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs


class Spectre(Metric):
    """Validity by the rule "sbm_spectre", beside ``validity``, where the reference's rule is "sbm".

    References
    ----------
    Martinkus et al., SPECTRE: Spectral Conditioning Helps to Overcome the Expressivity Limits of One-shot Graph
    Generators, ICML 2022.
    """

    title = "Validity as published"
    about = {
        "validity.sbm_spectre": "passes SPECTRE's test, blocks inferred as from a directed graph; of all records",
    }
    compares = frozenset({"validity.sbm_spectre"})

    def __call__(self, samples: Graphs, reference: GraphReference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        if not reference.rule.startswith("sbm"):
            return {name: nothing() for name in self.about}
        valid = sum(not reason for reason in samples.check_rule("sbm_spectre"))
        return {"validity.sbm_spectre": fraction(valid, len(samples))}
