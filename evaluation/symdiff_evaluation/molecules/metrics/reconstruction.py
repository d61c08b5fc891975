"""Whether molecules came out as they went in."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.core.reconstruction import ABOUT, exact_shares
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples


class MoleculeReconstruction(Metric):
    """Of the records whose input is a molecule, by canonical SMILES without stereo, isotopes and atom maps."""

    title = "Reconstruction"
    about = ABOUT

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        if not any(record.input for record in samples.records):
            return {name: nothing(len(samples)) for name in self.about}
        same = [
            None if given is None else verdict.canonical == given
            for verdict, given in zip(samples.verdicts, samples.input_names, strict=True)
        ]
        return exact_shares(same, samples.input_orders)
