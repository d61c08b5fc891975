"""What symmetry went in against what came out, for molecular graphs."""

from __future__ import annotations

from symdiff_evaluation.core.breaking import breaking_gap, broken_share
from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import SYMMETRY


class MoleculeBreaking(Metric):
    """Of the strictly valid records, where the file says which molecule each was made from; others are undecided."""

    title = "Symmetry breaking"
    about = {
        "symmetry.breaking_gap": (
            "mean of ln (automorphisms of the molecule that went in) - ln (of the one that came out)"
        ),
        "symmetry.broken_share": "of the symmetric molecules that went in, those that came out less symmetric",
    }
    needs = dict.fromkeys(about, frozenset({SYMMETRY}))

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        if not any(record.input for record in samples.records):
            return {name: nothing(len(samples)) for name in self.about}
        after = [verdict.traits.order if verdict.traits else None for verdict in samples.verdicts]
        before = samples.input_orders
        return {
            "symmetry.breaking_gap": breaking_gap(before, after),
            "symmetry.broken_share": broken_share(before, after),
        }
