"""How many samples are graphs of the wanted sort, different from each other, and not those that the model was shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, distinct, fraction
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs


class Quality(Metric):
    """Validity by the rule of the reference; two graphs are the same when an isomorphism carries labels to labels."""

    title = "Validity, uniqueness and novelty"
    about = {
        "readable": "records that are graphs: numbers of nodes in range, no loop, no repeated edge",
        "connected": "one component, of the readable graphs",
        "validity": "follows the rule of the reference (planar, tree, lobster, sbm, connected, any), of all records",
        "uniqueness": "different graphs, of the readable",
        "novelty": "not in the training set, of the different readable graphs",
        "vun": "different, valid and not in the training set, of all records",
    }
    compares = frozenset({"validity", "novelty", "vun"})

    def __call__(
        self, samples: Graphs, reference: GraphReference | None
    ) -> dict[str, Estimate | Callable[[], Estimate]]:
        graphs, count = samples.readable, len(samples)

        def unique() -> Estimate:
            hashes = samples.hashes[samples.has_hash]
            return distinct(hashes.tolist(), len(hashes), samples.unreadable + len(graphs) - len(hashes))

        estimates: dict[str, Estimate | Callable[[], Estimate]] = {
            "readable": fraction(len(graphs), count),
            "connected": fraction(sum(graph.is_connected for graph in graphs), len(graphs), samples.unreadable),
            "uniqueness": unique,
        }
        if reference is None:
            return estimates
        known = reference

        def valid() -> np.ndarray:
            return np.array([not reason for reason in samples.check_rule(known.rule)], bool)

        def novel() -> Estimate:
            kinds = np.unique(samples.hashes[samples.has_hash])
            return fraction(int((~known.knows(kinds)).sum()), len(kinds), len(graphs) - int(samples.has_hash.sum()))

        def good() -> Estimate:
            unnamed = len(graphs) - int(samples.has_hash.sum())
            return distinct(
                samples.hashes[valid() & samples.has_hash & ~known.knows(samples.hashes)].tolist(),
                count - unnamed,
                unnamed,
            )

        return estimates | {"validity": lambda: fraction(int(valid().sum()), count), "novelty": novel, "vun": good}
