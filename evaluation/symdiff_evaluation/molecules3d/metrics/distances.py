"""Lengths and angles of bonds against the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from symdiff_evaluation.core.distances import total_variation
from symdiff_evaluation.core.estimate import Z95, Estimate, nothing
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.internal_coordinates import Row
from symdiff_evaluation.molecules3d.reference import GeometryReference
from symdiff_evaluation.molecules3d.samples import Geometries

COMMON = ("C-C", "C=C", "C:C", "C#C", "C-N", "C=N", "C:N", "C#N", "C-O", "C=O", "C-F", "C-H", "H-N", "H-O")


class InternalCoordinates(Metric):
    """Bond lengths and angles of the valid molecules by perceived bonds, against the reference.

    Each label ("C=O", "C-C-H") has its own Wasserstein distance. Their mean weighs labels by how often the reference
    has them, over those that both have; ``geometry.bond_types`` tells how far the labels themselves are from the
    reference's.
    """

    title = "Bonds against the reference"
    about = {
        "geometry.bond_types": "bonds by elements and order: total variation of their shares",
        "geometry.bond_length": "bond lengths by elements and order: mean Wasserstein distance in angstrom",
        "geometry.bond_angle": "angles between bonds by elements: mean Wasserstein distance in degrees",
    }
    compares = frozenset(about)

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        spans, bends = samples.internal
        kinds = [{label: len(values) for label, values in row.items()} for row in spans]
        lost = len(samples) - len(spans)
        return {
            "geometry.bond_types": total_variation(kinds, reference.counts.get("bond", {}), lost),
            "geometry.bond_length": weigh(
                spans, select_quantiles(reference, "length"), reference.counts.get("bond", {}), lost
            ),
            "geometry.bond_angle": weigh(
                bends, select_quantiles(reference, "angle"), reference.counts.get("angle", {}), lost
            ),
        }


class BondLengths(Metric):
    """One number a common kind of bond; ``count`` are the molecules that have it."""

    title = "Bond lengths against the reference"
    about = {
        f"geometry.bond_length.{label}": f"lengths of {label}: Wasserstein distance in angstrom" for label in COMMON
    }
    compares = frozenset(about)

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        if reference is None:
            return {}
        spans, _ = samples.internal
        known = select_quantiles(reference, "length")
        return {
            f"geometry.bond_length.{label}": weigh(
                [row for row in spans if label in row], {label: known[label]} if label in known else {}, {label: 1}
            )
            for label in COMMON
        }


def select_quantiles(reference: GeometryReference, name: str) -> dict[str, np.ndarray]:
    """Select quantiles of a reference by the start of their names.

    Parameters
    ----------
    reference : GeometryReference
        The reference.
    name : str
        "length" or "angle".

    Returns
    -------
    dict of str to numpy.ndarray
        By label.
    """
    return {key.split(".", 1)[1]: values for key, values in reference.quantiles.items() if key.startswith(f"{name}.")}


def weigh(
    parts: Sequence[Row], targets: Mapping[str, np.ndarray], weights: Mapping[str, int], undecided: int = 0
) -> Estimate:
    """Estimate the weighted mean over labels of the 1-Wasserstein distance.

    The interval is the normal one of the first-order variance over records.

    Parameters
    ----------
    parts : sequence of mapping of str to numpy.ndarray
        Values of the samples by label, one mapping a record.
    targets : mapping of str to numpy.ndarray
        Values of the reference by label, of equal weight.
    weights : mapping of str to int
        Weights of labels; they are scaled to one over the labels that both have.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        In the unit of the values; no value where no label is shared.
    """
    rows_of: dict[str, list[int]] = {}
    for index, row in enumerate(parts):
        for label in row:
            rows_of.setdefault(label, []).append(index)
    shared = sorted(label for label in rows_of if label in targets and weights.get(label, 0) > 0)
    whole = sum(weights[label] for label in shared)
    if not whole:
        return nothing(undecided + len(parts))
    value, pulls = 0.0, np.zeros(len(parts))
    for label in shared:
        owners = np.repeat(rows_of[label], [len(parts[k][label]) for k in rows_of[label]])
        distance, pull = _distance(np.concatenate([parts[k][label] for k in rows_of[label]]), targets[label])
        share = weights[label] / whole
        value += share * distance
        np.add.at(pulls, owners, share * pull / len(pull))
    half = Z95 * math.sqrt(float((pulls**2).sum()))
    return Estimate(value, max(value - half, 0.0), value + half, len(parts), undecided)


def _distance(values: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The 1-Wasserstein distance of two samples, and how each of ``values`` pulls at it (first order, mean zero)."""
    target = np.sort(np.asarray(target, np.float64))
    grid = np.unique(np.concatenate([values, target]))
    ours = np.searchsorted(np.sort(values), grid, "right")[:-1] / len(values)
    gap = ours - np.searchsorted(target, grid, "right")[:-1] / len(target)
    steps = np.diff(grid)
    beyond = np.concatenate([np.cumsum((np.sign(gap) * steps)[::-1])[::-1], [0.0]])  # integral of the sign from x on
    pull = beyond[np.searchsorted(grid, values)]
    return float(np.abs(gap) @ steps), pull - pull.mean()
