"""Stability of graphs with explicit hydrogens."""

from __future__ import annotations

from symdiff_evaluation.estimate import Estimate, fraction, nothing, ratio
from symdiff_evaluation.metrics.base import Metric
from symdiff_evaluation.reference import Reference
from symdiff_evaluation.samples import Samples


class Stability(Metric):
    """Atoms with as many bonds as their element's valence; defined where at least one record writes hydrogens as atoms."""

    title = "Stability (explicit hydrogens)"
    about = {
        "atom_stability": "atoms with their element's number of bonds, of all atoms; needs explicit hydrogens",
        "molecule_stability": "records whose atoms are all stable, of those that can be parsed; needs explicit hydrogens",
    }

    def __call__(self, samples: Samples, reference: Reference | None) -> dict[str, Estimate]:
        pairs = [j.stable for j in samples.judged if j.stable is not None]
        undecided = len(samples) - len(pairs)
        if not any(j.hydrogens for j in samples.judged):
            return {name: nothing() for name in self.about}
        return {
            "atom_stability": ratio(pairs, undecided),
            "molecule_stability": fraction(sum(stable == atoms for stable, atoms in pairs), len(pairs), undecided),
        }
