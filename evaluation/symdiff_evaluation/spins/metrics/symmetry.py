"""How symmetric configurations are, what order they have, and whether their distribution keeps the symmetries of
what they were given."""

from __future__ import annotations

import math

import numpy as np

from symdiff_evaluation.core.balance import combine
from symdiff_evaluation.core.breaking import breaking_gap, broken_share
from symdiff_evaluation.core.estimate import Estimate, fraction, mean, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.spins.balance import image_balance, label_balance, place_balance, variant_balance
from symdiff_evaluation.spins.observables import Wave, waves
from symdiff_evaluation.spins.reference import SpinReference
from symdiff_evaluation.spins.samples import Spins
from symdiff_evaluation.spins.series import series_mean
from symdiff_evaluation.spins.symmetry import ENUMERATED, symmetries

ORDERS: dict[str, Wave] = {"uniform": (0, 0), "checkerboard": (1, 1), "stripes_x": (1, 0), "stripes_y": (0, 1)}


class PhaseOrder(Metric):
    """Mean absolute order parameters of the phases of two-dimensional lattices; no value where a side is odd."""

    title = "Order by phase"
    about = {
        "order.uniform": "mean |m|: all spins alike",
        "order.checkerboard": "mean staggered |m|: neighbors unlike",
        "order.stripes_x": "mean |m| against stripes that alternate along the first axis",
        "order.stripes_y": "mean |m| against stripes that alternate along the second axis",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        by_phase = {}
        for name, wave in ORDERS.items():
            fits = len(spins.shape) == 2 and not any(
                step and side % 2 for step, side in zip(wave, spins.shape, strict=False)
            )
            values = np.abs(spins.observations.orders[:, waves(spins.shape).index(wave)]) if fits else None
            by_phase[f"order.{name}"] = (
                nothing(len(spins)) if values is None else series_mean(values, spins.chain, 0, 1)
            )
        return by_phase


class SpinSymmetry(Metric):
    """Stabilizers in the space group times spin flip, and of the Hamiltonian's own symmetries what the samples
    break."""

    title = "Symmetry"
    about = {
        "symmetry.asymmetric_share": (
            "samples that no translation, rotation, reflection, flip or permutation of labels keeps"
        ),
        "symmetry.log_order": (
            "mean natural logarithm of the order of the stabilizer in the space group times flip, or permutations of "
            "labels"
        ),
        "symmetry.breaking_gap": (
            "mean of ln (symmetries of couplings and field) - ln (those of them that the sample keeps)"
        ),
        "symmetry.broken_share": "samples that keep fewer symmetries than their couplings and field have",
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        if not len(spins):
            return {name: nothing() for name in self.about}
        orders = spins.observations.stabilizer
        logs = np.log(orders)
        before, after = spins.observations.symmetries.tolist(), spins.observations.kept.tolist()
        log_order = mean(math.fsum(logs), math.fsum(logs * logs), len(logs))
        return {
            "symmetry.asymmetric_share": fraction(int((orders == 1).sum()), len(orders)),
            "symmetry.log_order": log_order.clip(0.0),
            "symmetry.breaking_gap": breaking_gap(before, after),
            "symmetry.broken_share": broken_share(before, after),
        }


class BalanceTests(Metric):
    """P-values of the hypothesis that the distribution is invariant under the symmetries of couplings and field.

    Uniform if it is.
    """

    title = "Balance (p-values of an invariant distribution)"
    about = {
        "balance.variants": (
            "chi-square: broken-symmetry variants (up, down, checkerboards, stripes; the label that prevails) are "
            "equally frequent"
        ),
        "balance.images": (
            "chi-square: all images of a configuration are equally frequent (up to 64 sites, independent samples)"
        ),
        "balance.places": (
            "chi-square: configurations stand everywhere equally often (translations, independent samples)"
        ),
    }

    def __call__(self, spins: Spins, reference: SpinReference | None = None) -> dict[str, Estimate]:
        tests: dict[str, list] = {name: [] for name in self.about}
        for part in spins.parts:
            observed, group = part.observations, part.group
            variants = (
                variant_balance(observed.orders, symmetries(part.hamiltonian), part.chain)
                if part.is_ising
                else label_balance(part.configurations, part.states, part.chain)
            )
            tests["balance.variants"].append(variants.balance)
            if part.chain is None:
                tests["balance.places"].append(place_balance(part.configurations, group))
                if math.prod(part.shape) <= ENUMERATED:
                    tests["balance.images"].append(
                        image_balance(observed.least, observed.own, group.order // observed.kept)
                    )
        return {name: combine(parts).estimate() if parts else nothing(len(spins)) for name, parts in tests.items()}
