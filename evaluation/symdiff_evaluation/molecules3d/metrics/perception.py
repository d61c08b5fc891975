"""Validity, uniqueness and novelty by perceived bonds."""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, distinct, fraction
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class PerceivedBonds(Metric):
    """By RDKit's rdDetermineBonds, strictly; what it could not determine is undecided, and a number of its own.

    Novelty asks the reference for canonical SMILES, as molecular graphs do: the same references serve.
    """

    title = "By perceived bonds"
    about = {
        "perceived.validity": (
            "bonds make one component with full valences, the charge that was told and no unpaired electron"
        ),
        "perceived.validity.default": (
            "RDKit's default settings find bonds that sanitize, with any number of components"
        ),
        "perceived.undetermined": "the search for bonds ran out of steps, time or memory, of the readable records",
        "perceived.connected": "one component, of the records whose bonds were found",
        "perceived.uniqueness": "different molecules, of the valid records",
        "perceived.valid_and_unique": "different valid molecules, of all records",
        "perceived.novelty": "not in the training set, of the different valid molecules",
        "perceived.vun": "different, valid and not in the training set, of all records",
    }
    compares = frozenset({"perceived.novelty", "perceived.vun"})

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        known = [one for one in samples.perceptions if not isinstance(one, Undetermined)]
        lost = len(samples.perceptions) - len(known)
        count = len(samples) - lost
        names = [one.canonical for one in known if one.canonical is not None]
        bonded = [one for one in known if one.bonds is not None]
        unsure = lost + sum(isinstance(one.default, Undetermined) for one in known)
        default = sum(one.default is not None and not isinstance(one.default, Undetermined) for one in known)
        estimates = {
            "perceived.validity": fraction(len(names), count, lost),
            "perceived.validity.default": fraction(default, len(samples) - unsure, unsure),
            "perceived.undetermined": fraction(lost, len(samples.perceptions)),
            "perceived.connected": fraction(
                sum(not one.reason.startswith("fragments") for one in bonded), len(bonded), len(samples) - len(bonded)
            ),
            "perceived.uniqueness": distinct(names, len(names), lost),
            "perceived.valid_and_unique": distinct(names, count, lost),
        }
        if reference is None:
            return estimates
        kinds = sorted(set(names))
        old = {name for name, seen in zip(kinds, reference.knows(kinds), strict=True) if seen}
        return estimates | {
            "perceived.novelty": fraction(len(kinds) - len(old), len(kinds)),
            "perceived.vun": distinct([name for name in names if name not in old], count, lost),
        }
