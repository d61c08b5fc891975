"""Stability, validity and uniqueness by EDM's distance rule."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, distinct, fraction, ratio
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class EDMRule(Metric):
    """Stability and validity as EDM reports them. Records with elements that its tables lack are undecided.

    A broken record is neither stable nor valid; its atoms are not known, so of the shares of atoms it is left out.

    References
    ----------
    Hoogeboom et al., Equivariant Diffusion for Molecule Generation in 3D, ICML 2022.
    """

    title = "By EDM's distance rule"
    about = {
        "edm.atom_stability": "atoms whose bond orders add up to their element's valence, of all atoms",
        "edm.molecule_stability": "records whose atoms are all stable",
        "edm.validity": "RDKit sanitizes it, with any number of fragments",
        "edm.uniqueness": "different largest fragments, of the valid records",
        "edm.valid_and_unique": "different largest fragments of valid records, of all records",
    }

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        known = [result for result in samples.edm if result is not None]
        strange = len(samples.edm) - len(known)
        count = len(samples) - strange
        names = [result.smiles for result in known if result.smiles is not None]
        return {
            "edm.atom_stability": ratio([(one.stable, one.atoms) for one in known], len(samples) - len(known)),
            "edm.molecule_stability": fraction(sum(one.stable == one.atoms for one in known), count, strange),
            "edm.validity": fraction(len(names), count, strange),
            "edm.uniqueness": distinct(names, len(names)),
            "edm.valid_and_unique": distinct(names, count, strange),
        }
