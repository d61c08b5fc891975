"""Symmetry of the distribution: what went in against what came out, and whether all numberings are equally likely."""

from __future__ import annotations

from symdiff_evaluation.core.breaking import breaking_gap, broken_share
from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.balance import image_balance, place_balance
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs


class GraphBreaking(Metric):
    """Of the readable graphs, where the file says which graph each was made from."""

    title = "Symmetry breaking"
    about = {
        "symmetry.breaking_gap": (
            "mean of ln (automorphisms of the graph that went in) - ln (of the one that came out), labels kept"
        ),
        "symmetry.broken_share": "of the symmetric graphs that went in, those that came out less symmetric",
    }

    def __call__(self, samples: Graphs, reference: GraphReference | None) -> dict[str, Estimate]:
        if not samples.inputs:
            return {name: nothing(len(samples)) for name in self.about}
        symmetries = iter(samples.symmetries)
        after = [None if graph is None else _order(next(symmetries)) for graph in samples.graphs]
        before = [_order(one) for one in samples.input_symmetries]
        return {
            "symmetry.breaking_gap": breaking_gap(before, after),
            "symmetry.broken_share": broken_share(before, after),
        }


class GraphBalance(Metric):
    """Of the readable graphs; values are p-values, uniform where the distribution is invariant under renumbering."""

    title = "Balance of numberings (p-values)"
    about = {
        "balance.images": "all numberings of one graph are equally frequent, over graphs seen often enough",
        "balance.places": "nodes of each degree stand everywhere in the order of the file equally often",
    }

    def __call__(self, samples: Graphs, reference: GraphReference | None) -> dict[str, Estimate]:
        graphs = samples.readable
        return {
            "balance.images": image_balance(graphs, samples.hashes, samples.symmetries).estimate(),
            "balance.places": place_balance(graphs).estimate(),
        }


def _order(symmetry) -> int | None:
    return None if symmetry is None else symmetry.order
