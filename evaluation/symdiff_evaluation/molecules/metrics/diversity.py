"""How many samples are different from each other, and from what the model was shown."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, distinct, fraction
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples


class Diversity(Metric):
    """Uniqueness, novelty and their product with validity, by canonical SMILES without stereo and isotopes."""

    title = "Uniqueness and novelty"
    about = {
        "uniqueness": "different molecules, of the strictly valid samples",
        "uniqueness.largest_fragment": "different largest fragments, of the samples valid by largest fragment",
        "uniqueness.relaxed_digress": "different largest fragments, of the samples valid by DiGress's relaxed rule",
        "novelty": "not in the training set, of the different strictly valid molecules",
        "novelty.relaxed_digress": (
            "not in the training set, of the different molecules valid by DiGress's relaxed rule"
        ),
        "vun": "different, valid and not in the training set, of all records",
    }
    compares = frozenset({"novelty", "novelty.relaxed_digress", "vun"})

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        fragments = [j.fragment for j in samples.verdicts if j.fragment is not None]
        relaxed = [j.relaxed for j in samples.verdicts if j.relaxed is not None]
        estimates = {
            "uniqueness": distinct(samples.valid, len(samples.valid)),
            "uniqueness.largest_fragment": distinct(fragments, len(fragments)),
            "uniqueness.relaxed_digress": distinct(relaxed, len(relaxed)),
        }
        if reference is None:
            return estimates
        known = set(_known(samples.distinct, reference))
        others = sorted(set(relaxed))
        return estimates | {
            "novelty": fraction(len(samples.distinct) - len(known), len(samples.distinct)),
            "novelty.relaxed_digress": fraction(len(others) - len(_known(others, reference)), len(others)),
            "vun": distinct([text for text in samples.valid if text not in known], len(samples)),
        }


def _known(smiles: list[str], reference: Reference) -> list[str]:
    return [text for text, known in zip(smiles, reference.knows(smiles), strict=True) if known]
