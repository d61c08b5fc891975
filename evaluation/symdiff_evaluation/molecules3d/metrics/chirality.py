"""Are both hands equally frequent?"""

from __future__ import annotations

from symdiff_evaluation.core.estimate import Estimate, fraction, ratio
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.mirror import binomial_balance, enantiomer_balance, find_hand
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries


class MirrorBalance(Metric):
    """A distribution that is invariant under reflections has left and right equally often; its p-values are uniform."""

    title = "Mirror balance"
    about = {
        "mirror.right_share": "right-handed geometries, by the sign of a pseudoscalar, of those that have a sign",
        "mirror.balance": "p-value: both signs are equally likely (binomial test)",
        "mirror.chiral_share": (
            "molecules whose configuration differs from its mirror image's, of the valid by perceived bonds"
        ),
        "mirror.enantiomers": "p-value: of each chiral molecule both enantiomers are equally likely (chi-square)",
        "mirror.r_share": "stereo centers R, of all centers R or S",
    }

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        signs = [find_hand(samples[k]) for k in samples.readable]
        right, left = signs.count(1), signs.count(-1)
        unsigned = len(samples) - right - left
        valid = [one for one in samples.perceptions if not isinstance(one, Undetermined) and one.canonical is not None]
        lost = sum(isinstance(one, Undetermined) for one in samples.perceptions)
        centers = [(one.rights, one.rights + one.lefts) for one in valid if one.rights + one.lefts]
        return {
            "mirror.right_share": fraction(right, right + left, unsigned),
            "mirror.balance": binomial_balance(right, left, unsigned),
            "mirror.chiral_share": fraction(sum(one.chiral for one in valid), len(valid), lost),
            "mirror.enantiomers": enantiomer_balance(valid).estimate(),
            "mirror.r_share": ratio(centers),
        }
