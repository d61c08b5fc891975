"""Are all numberings of a molecule's atoms equally likely?"""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.numbering import NumberedAtoms, image_balance, place_balance
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import NUMBERING, SYMMETRY


class NumberingBalance(Metric):
    """P-values of the hypothesis that the distribution is invariant under renumbering, uniform if it is.

    Of the records whose file numbers atoms, SDF or arrays. The order of atoms in SMILES is that of their grammar and
    says nothing: both numbers are undecided. Programs that write atoms in an order of their own, canonical or sorted,
    get zeros, whatever the distribution is.
    """

    title = "Balance of numberings (p-values)"
    about = {
        "balance.images": (
            "all numberings of one molecule's heavy atoms are equally frequent, over molecules seen often enough; "
            "SMILES: undecided"
        ),
        "balance.places": (
            "atoms of each element and number of neighbors stand everywhere in the file's order equally often; "
            "SMILES: undecided"
        ),
    }
    needs = {"balance.images": frozenset({NUMBERING, SYMMETRY}), "balance.places": frozenset({NUMBERING})}

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        known = [(verdict, verdict.numbering) for verdict in samples.verdicts if verdict.numbering is not None]
        valid = [
            NumberedAtoms(verdict.canonical, numbering.image, verdict.traits.size, verdict.traits.order)
            for verdict, numbering in known
            if numbering.image is not None and verdict.canonical and verdict.traits and verdict.traits.order
        ]
        return {
            "balance.images": image_balance(valid, len(samples.valid) - len(valid)).estimate(),
            "balance.places": place_balance(
                [numbering for _, numbering in known], len(samples) - len(known)
            ).estimate(),
        }
