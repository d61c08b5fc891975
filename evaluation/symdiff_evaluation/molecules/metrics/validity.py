"""How many samples are molecules: strictly, and by the rules that papers published."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, fraction
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples


class Validity(Metric):
    """Shares of all records, broken ones included; no record is undecided.

    References
    ----------
    Vignac et al., DiGress: Discrete Denoising diffusion for graph generation, ICLR 2023 (the relaxed rule).
    """

    title = "Validity"
    about = {
        "validity.strict": "sanitizes as written, is one component, has an atom; nothing is rescued",
        "validity.largest_fragment": "sanitizes as written, with any number of components",
        "validity.relaxed_digress": (
            "sanitizes after DiGress's rule put charges on N and O, with any number of components"
        ),
        "connected": "one component, of the records that can be parsed",
        "radical_share": "has an unpaired electron, of the strictly valid",
    }

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        verdicts, count = samples.verdicts, len(samples)
        parsed = [j.components for j in verdicts if j.components is not None]
        return {
            "validity.strict": fraction(len(samples.valid), count),
            "validity.largest_fragment": fraction(sum(j.fragment is not None for j in verdicts), count),
            "validity.relaxed_digress": fraction(sum(j.relaxed is not None for j in verdicts), count),
            "connected": fraction(sum(number == 1 for number in parsed), len(parsed), count - len(parsed)),
            "radical_share": fraction(sum(bool(j.radicals) for j in verdicts), len(samples.valid)),
        }
