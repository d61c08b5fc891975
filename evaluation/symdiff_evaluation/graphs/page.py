"""The pages of generic graphs: distributions, symmetry, pictures, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from symdiff_evaluation.core.charts import draw_bars, draw_densities
from symdiff_evaluation.core.estimate import Estimate
from symdiff_evaluation.core.page import (
    SYMMETRIC,
    PageSection,
    compute_shares,
    describe_estimate,
    join_panels,
    make_failure_table,
    make_gallery,
    make_key,
    make_panel,
    make_sample,
    make_symmetric_gallery,
    space_evenly,
)
from symdiff_evaluation.core.pictures import draw_graph as drawing
from symdiff_evaluation.graphs.graph import SimpleGraph
from symdiff_evaluation.graphs.reference import GraphReference
from symdiff_evaluation.graphs.samples import Graphs

_SHOWN = {
    "degree": "Degrees of nodes",
    "clustering": "Clustering coefficients",
    "spectral": "Eigenvalues of the normalized Laplacian",
}
_DEGREES, _BINS = 12, 8  # bars of a panel


def make_sections(
    samples: Graphs, reference: GraphReference | None, estimates: Mapping[str, Estimate]
) -> list[PageSection]:
    """Make the sections of the report.

    Parameters
    ----------
    samples : Graphs
        What was read.
    reference : GraphReference, optional
        Drawn beside the samples.
    estimates : mapping of str to Estimate
        The numbers that texts quote.

    Returns
    -------
    list of PageSection
        What no metric asked for is left out.
    """
    return [
        PageSection("distributions", "Distributions", _distributions(samples, reference, estimates)),
        PageSection("symmetry", "Symmetry", _symmetry(samples, reference, estimates)),
        PageSection("samples", "Samples", _gallery(samples, reference, estimates)),
        PageSection("failures", "Failures", _failures(samples, reference)),
    ]


def _distributions(samples: Graphs, reference: GraphReference | None, estimates: Mapping[str, Estimate]) -> str:
    graphs = samples.readable
    if not graphs:
        return ""
    shown = []
    for name, title in _SHOWN.items() if samples.knows("descriptors") else ():
        target = None if reference is None else _coarse(reference.test[name], name)
        chart = draw_bars(_coarse(samples.descriptors[name], name), target, most=_DEGREES + 1)
        shown.append(make_panel(title, describe_estimate(estimates, f"mmd.{name}", "squared MMD"), chart))
    shown.append(make_panel("Number of nodes", "", draw_densities([graph.num_nodes for graph in graphs], None)))
    shown.append(make_panel("Number of edges", "", draw_densities([len(graph.edges) for graph in graphs], None)))
    return make_key(reference is not None, "test graphs") + join_panels(shown)


def _coarse(rows: np.ndarray, name: str) -> dict[str, float]:
    """The mean of histograms (graphs, bins) in a few bars, by the lower end of what they count."""
    mean = np.asarray(rows, np.float64).mean(0)
    mean = mean / max(mean.sum(), 1e-300)
    if name == "degree":
        shares = {str(k): float(value) for k, value in enumerate(mean[:_DEGREES])}
        return shares | ({f"{_DEGREES}+": float(mean[_DEGREES:].sum())} if len(mean) > _DEGREES else {})
    top = 1.0 if name == "clustering" else 2.0
    parts = np.array_split(mean, _BINS)
    starts = np.cumsum([0, *map(len, parts)])[:-1] * top / len(mean)
    return {f"{start:.2f}": float(part.sum()) for start, part in zip(starts, parts, strict=True)}


def _symmetry(samples: Graphs, reference: GraphReference | None, estimates: Mapping[str, Estimate]) -> str:
    orders = [one.log_order for one in samples.symmetries if one is not None] if samples.knows("symmetries") else []
    if not orders:
        return ""
    distribution = None if reference is None else compute_shares(Counter(map(_order, reference.log_orders.tolist())))
    shown = [
        make_panel(
            "Number of automorphisms",
            describe_estimate(estimates, "symmetry.order_distance", "total variation"),
            draw_bars(compute_shares(Counter(map(_order, orders))), distribution, most=9),
        ),
        make_panel(
            "Orbits of nodes, per node",
            describe_estimate(estimates, "symmetry.orbit_share", "mean"),
            draw_densities([one.orbit_share for one in samples.symmetries if one is not None], None),
        ),
    ]
    ranked = sorted((-one.log_order, k) for k, one in enumerate(samples.symmetries) if one is not None)
    different, seen = [], set()
    for log_order, k in ranked:
        name = (
            int(samples.hashes[k]) if samples.knows("hashes") else 0
        ) or -k - 1  # a graph without a name counts as one of its own
        if log_order < 0 and name not in seen and len(different) < SYMMETRIC:
            seen.add(name)
            different.append(_draw(samples.readable[k], f"{_order(-log_order)} automorphisms"))
    text = "An automorphism is a permutation of nodes that keeps edges and labels."
    return (
        f'<p class="soft">{text}</p>{make_key(reference is not None, "training graphs")}{join_panels(shown)}'
        f"{make_symmetric_gallery(different)}"
    )


def _order(log_order: float) -> str:
    """An order as it fits under a bar: beyond five digits, its power of ten."""
    digits = int(log_order / np.log(10))
    return f"{round(np.exp(log_order)):d}" if digits < 5 else f"10^{digits}"


def _gallery(samples: Graphs, reference: GraphReference | None, estimates: Mapping[str, Estimate]) -> str:
    graphs = samples.readable
    if not graphs:
        return ""
    drawn = []
    judged = "validity" in estimates
    reasons = samples.find_broken(reference and reference.rule)
    for k in space_evenly(len(graphs)):
        reason = reasons[k]
        drawn.append(_draw(graphs[k], reason.split(":")[0] or ("valid" if judged else ""), not reason and judged))
    note = (
        f"{len(drawn)} of the {len(graphs):,} readable graphs, evenly spaced in the order of the files, not selected."
    )
    return f'<p class="soft">{note}</p>{make_gallery(drawn)}'


def _draw(graph: SimpleGraph, tag: str, new: bool = False) -> str:
    labels = None if graph.node_labels is None else graph.node_labels.tolist()
    return make_sample(
        drawing(graph.num_nodes, graph.edges, labels), f"{graph.num_nodes} nodes, {len(graph.edges)} edges", tag, new
    )


def _failures(samples: Graphs, reference: GraphReference | None) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    reasons = iter(samples.find_broken(reference and reference.rule))
    for record, graph in zip(samples.records, samples.graphs, strict=True):
        reason = record.reason or next(reasons)
        if reason:
            name, _, detail = reason.partition(": ")
            shown = "" if graph is None else f"{graph.num_nodes} nodes, {len(graph.edges)} edges"
            groups.setdefault(name, []).append((shown, f"{record.file}, record {record.number:,}: {detail}"))
    rule = f" and follows the rule {reference.rule}" if reference else ""
    return make_failure_table(groups, len(samples), f"None: every record is a graph{rule}.")
