"""How symmetric the graphs are: their automorphism groups, with labels and without."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate, fraction, mean, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs
from symdiff_evaluation.graphs.symmetry import Automorphisms

_TOLD = {
    "asymmetric_share": "graphs whose only automorphism is the identity",
    "log_order": "mean natural logarithm of the order of the automorphism group",
    "orbit_share": "mean number of orbits of nodes, per node (1: no two are alike)",
    "order_distance": "distribution of the order against the training graphs: total variation",
    "log_order_distance": "distribution of its logarithm against the training graphs: Wasserstein",
}
_LABELED, _PLAIN = "symmetry", "symmetry.unlabeled"


class GraphSymmetry(Metric):
    """Of the readable graphs, repeats counted; undecided where the search for automorphisms ran out of its budget."""

    title = "Symmetry"
    about = {
        **{f"{_LABELED}.{name}": told for name, told in _TOLD.items()},
        **{f"{_PLAIN}.{name}": f"{told}, labels ignored" for name, told in _TOLD.items()},
    }
    compares = frozenset(
        f"{front}.{name}" for front in (_LABELED, _PLAIN) for name in ("order_distance", "log_order_distance")
    )

    def __call__(
        self, samples: Graphs, reference: GraphReference | None
    ) -> dict[str, Estimate | Callable[[], Estimate]]:
        labeled, plain = (None, None) if reference is None else (reference.log_orders, reference.unlabeled_log_orders)

        @cache
        def with_labels() -> dict[str, Estimate]:
            return _statistics(samples.symmetries, samples.unreadable, labeled)

        @cache
        def without_labels() -> dict[str, Estimate]:
            return _statistics(samples.unlabeled_symmetries, samples.unreadable, plain)

        names = [name for name in _TOLD if reference is not None or not name.endswith("distance")]
        estimates: dict[str, Estimate | Callable[[], Estimate]] = {
            f"{_LABELED}.{name}": partial(_pick, with_labels, name) for name in names
        }
        return estimates | {f"{_PLAIN}.{name}": partial(_pick, without_labels, name) for name in names}


def _pick(work: Callable[[], dict[str, Estimate]], name: str) -> Estimate:
    return work()[name]


def _statistics(
    symmetries: Sequence[Automorphisms | None], unreadable: int, distribution: np.ndarray | None
) -> dict[str, Estimate]:
    known = [one for one in symmetries if one is not None]
    undecided = unreadable + len(symmetries) - len(known)
    logs = np.array([one.log_order for one in known], np.float64)
    estimates = {
        "asymmetric_share": fraction(sum(one.order == 1 for one in known), len(known), undecided),
        "log_order": _mean(logs, undecided, math.inf),
        "orbit_share": _mean(np.array([one.orbit_share for one in known], np.float64), undecided, 1.0),
    }
    if distribution is not None:
        tally = Counter(map(_key, distribution.tolist()))
        estimates["order_distance"] = total_variation([{_key(log): 1} for log in logs.tolist()], tally, undecided)
        estimates["log_order_distance"] = (
            wasserstein(logs, distribution, None, undecided) if len(distribution) else nothing(undecided + len(known))
        )
    return estimates


def _key(log: float) -> str:
    """Orders are told apart by their logarithms, which differ by far more than rounding."""
    return f"{log:.9f}"


def _mean(values: np.ndarray, undecided: int, most: float) -> Estimate:
    """The mean of values between 0 and ``most``; so does its interval lie."""
    return mean(math.fsum(values), math.fsum(values * values), len(values), undecided).clip(0.0, most)
