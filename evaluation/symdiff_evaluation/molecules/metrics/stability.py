"""Stability of graphs with explicit hydrogens."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, fraction, nothing, ratio
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules.reference import Reference
from symdiff_evaluation.molecules.samples import MoleculeSamples
from symdiff_evaluation.molecules.verdict import STABILITY


class Stability(Metric):
    """Atoms with as many bonds as their element's valence; defined where most records write hydrogens as atoms.

    References
    ----------
    Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022.
    """

    title = "Stability (explicit hydrogens)"
    about = {
        "atom_stability": "atoms with their element's number of bonds, of all atoms; needs explicit hydrogens",
        "molecule_stability": (
            "records whose atoms are all stable, of those that can be parsed; needs explicit hydrogens"
        ),
    }
    needs = dict.fromkeys(about, frozenset({STABILITY}))

    def __call__(self, samples: MoleculeSamples, reference: Reference | None) -> dict[str, Estimate]:
        pairs = [j.stable for j in samples.verdicts if j.stable is not None]
        undecided = len(samples) - len(pairs)
        if 2 * count_explicit(samples) <= len(pairs):
            return {name: nothing() for name in self.about}
        return {
            "atom_stability": ratio(pairs, undecided),
            "molecule_stability": fraction(sum(stable == atoms for stable, atoms in pairs), len(pairs), undecided),
        }


def count_explicit(samples: MoleculeSamples) -> int:
    """Count the records that write at least one hydrogen as an atom of its own.

    Parameters
    ----------
    samples : MoleculeSamples
        The samples.

    Returns
    -------
    int
        Number of records.
    """
    return sum(verdict.hydrogens for verdict in samples.verdicts)


def explain(samples: MoleculeSamples) -> list[str]:
    """Say how hydrogens were counted where only some of the records write them as atoms.

    Parameters
    ----------
    samples : MoleculeSamples
        The samples.

    Returns
    -------
    list of str
        One sentence or none.
    """
    explicit, parsed = count_explicit(samples), sum(verdict.stable is not None for verdict in samples.verdicts)
    if explicit in (0, parsed):
        return []
    start = f"{explicit:,} of {parsed:,} records write hydrogens as atoms"
    if 2 * explicit <= parsed:
        return [f"{start}, not most of them: hydrogens are taken to be implied, and stability has no value."]
    return [f"{start}, most of them: in the others a hydrogen that is not written is a bond that is missing."]
