"""How far the samples are from the test graphs, by four descriptions."""

from __future__ import annotations

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.graphs.descriptors import NAMES
from symdiff_evaluation.graphs.discrepancy import discrepancy
from symdiff_evaluation.graphs.mmd import SIGMAS, choose_rows, estimate, kernel, weigh
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs

_TOLD = {
    "degree": "degrees of nodes",
    "clustering": "clustering coefficients",
    "orbit": "mean counts of the 15 roles in subgraphs of two to four nodes",
    "spectral": "eigenvalues of the normalized Laplacian",
}


_ZERO = (
    1e-9  # what a training value must exceed to be divided by: trees have no triangles, and rounding is not distance
)


class MeanDiscrepancies(Metric):
    """Squared maximum mean discrepancies of the readable graphs to the reference's test graphs.

    References
    ----------
    You et al., GraphRNN: Generating Realistic Graphs with Deep Auto-regressive Models, ICML 2018.
    Liao et al., Efficient Graph Generation with Graph Recurrent Attention Networks, NeurIPS 2019.
    Martinkus et al., SPECTRE: Spectral Conditioning Helps to Overcome the Expressivity Limits of One-shot Graph
    Generators, ICML 2022.
    """

    title = "Distances to the test graphs"
    about = {
        **{f"mmd.{name}": f"{told}: squared MMD, biased as published" for name, told in _TOLD.items()},
        **{f"mmd.{name}_unbiased": f"{told}: squared MMD, unbiased" for name, told in _TOLD.items()},
        **{f"mmd.ratio_{name}": f"mmd.{name} over that of the training graphs" for name in NAMES},
        "mmd.ratio": "mean of those ratios whose training value is not zero (1: as near as the training graphs are)",
    }
    compares = frozenset(about)

    def __call__(self, samples: Graphs, reference: GraphReference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        missing, graphs = samples.unreadable, len(samples.readable)
        if not graphs:
            return dict.fromkeys(self.about, nothing(missing))
        few = [
            choose_rows(np.concatenate([part[name] for name in NAMES], axis=1))
            for part in (samples.descriptors, reference.test)
        ]
        estimates, distributions, weights = {}, [], []
        for name in NAMES:
            distribution = kernel(samples.descriptors[name], reference.test[name], SIGMAS[name], few)
            estimates[f"mmd.{name}"] = estimate(distribution, "biased", missing)
            estimates[f"mmd.{name}_unbiased"] = estimate(distribution, "unbiased", missing)
            base = reference.baseline.get(name, 0.0)
            known = base > _ZERO and graphs > 1
            estimates[f"mmd.ratio_{name}"] = (
                estimate(weigh([distribution], [1 / base]), "biased", missing) if known else nothing(missing + graphs)
            )
            if known:
                distributions.append(distribution)
                weights.append(1 / base)
        # a mean of squared distances is that of the kernels' mean
        mean = weigh(distributions, [weight / len(weights) for weight in weights]) if distributions else None
        return estimates | {
            "mmd.ratio": nothing(missing + graphs) if mean is None else estimate(mean, "biased", missing)
        }


class PolyGraph(Metric):
    """PolyGraph discrepancy of the readable graphs to the reference's test graphs; see ``graphs.discrepancy`` for how
    it differs from the published one.

    References
    ----------
    Krimmel et al., PolyGraph Discrepancy: a classifier-based metric for graph generation, ICLR 2026.
    """

    title = "Told apart by a classifier"
    about = {
        "pgd": (
            "PolyGraph discrepancy by logistic regression: bound on the Jensen-Shannon distance, best of four "
            "descriptions"
        ),
        **{f"pgd.{name}": f"the same bound by {told} alone" for name, told in _TOLD.items()},
    }
    compares = frozenset(about)

    def __call__(self, samples: Graphs, reference: GraphReference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        estimates = discrepancy(samples.descriptors, reference.test, samples.unreadable)
        return {"pgd": estimates.value, **{f"pgd.{name}": bound for name, bound in estimates.bounds.items()}}
