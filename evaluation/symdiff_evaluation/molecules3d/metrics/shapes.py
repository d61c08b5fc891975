"""Point groups and continuous symmetry of the geometries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from symdiff_evaluation.core.automorphisms import SearchExhausted, automorphisms
from symdiff_evaluation.core.breaking import breaking_gap
from symdiff_evaluation.core.distances import total_variation, wasserstein
from symdiff_evaluation.core.estimate import Estimate, fraction, mean
from symdiff_evaluation.core.limits import Undetermined
from symdiff_evaluation.core.metric import Metric
from symdiff_evaluation.molecules3d.metrics.strain import median
from symdiff_evaluation.molecules3d.reference import GeometryReference, measure_chiralities
from symdiff_evaluation.molecules3d.samples import Geometries
from symdiff_evaluation.molecules3d.symmetry import LOOSE, TIGHT, UNDECIDED, Shape

MEASURES = {"mirror": "m", "inversion": "i", "rotation": "C2"}


class Shapes(Metric):
    """Of the readable records, valid or not.

    A group holds at a tolerance where all its operations keep the geometry within it.
    """

    title = "Symmetry of geometries"
    about = {
        "shape.asymmetric_share": "no operation keeps the geometry within 0.1 angstrom RMSD (point group C1)",
        "shape.asymmetric_share.loose": "the same within 0.3 angstrom",
        "shape.achiral_share": "a mirror, inversion or rotoreflection keeps it within 0.1 angstrom",
        "shape.log_order": (
            "mean natural logarithm of the point group's order at 0.1 angstrom; linear molecules and axes above order "
            "12 undecided"
        ),
        "shape.breaking_gap": (
            "mean of ln |automorphisms of the perceived graph| - ln |permutations by the point group at 0.1 angstrom|"
        ),
        "shape.mirror": "median RMSD in angstrom to the nearest mirror image in a plane",
        "shape.inversion": "median RMSD in angstrom to the image through the center",
        "shape.rotation": "median RMSD in angstrom to the nearest image by half a turn",
        "shape.chirality": "median RMSD in angstrom to the nearest operation that mirrors",
        "shape.point_group_distance": "point groups at 0.1 angstrom against the reference: total variation",
        "shape.point_group_distance.loose": "the same at 0.3 angstrom",
        "shape.chirality_distance": (
            "RMSD to the nearest operation that mirrors against the reference: Wasserstein, in angstrom up to 0.5"
        ),
    }
    compares = frozenset({"shape.point_group_distance", "shape.point_group_distance.loose", "shape.chirality_distance"})

    def __call__(self, samples: Geometries, reference: GeometryReference | None) -> dict[str, Estimate]:
        shapes = [one for one in samples.shapes if not isinstance(one, Undetermined)]
        lost = len(samples) - len(shapes)
        orders = [one.at(TIGHT).order for one in shapes]
        finite = [math.log(order) for order in orders if order < math.inf]
        estimates = {
            "shape.asymmetric_share": fraction(orders.count(1), len(shapes), lost),
            "shape.asymmetric_share.loose": fraction(
                sum(one.at(LOOSE).order == 1 for one in shapes), len(shapes), lost
            ),
            "shape.achiral_share": fraction(sum(one.chirality <= TIGHT for one in shapes), len(shapes), lost),
            "shape.log_order": _not_below(
                mean(math.fsum(finite), math.fsum(v * v for v in finite), len(finite), len(samples) - len(finite))
            ),
            "shape.breaking_gap": breaking_gap(*_orders(samples)),
            "shape.chirality": median([one.chirality for one in shapes], lost),
        }
        estimates |= {
            f"shape.{name}": median([one.measures[kind] for one in shapes], lost) for name, kind in MEASURES.items()
        }
        if reference is None:
            return estimates
        return estimates | {
            "shape.point_group_distance": _group_distance(shapes, TIGHT, reference, lost),
            "shape.point_group_distance.loose": _group_distance(shapes, LOOSE, reference, lost),
            "shape.chirality_distance": wasserstein(
                measure_chiralities(shapes), reference.quantiles.get("chirality", np.zeros(0)), undecided=lost
            ),
        }


def asymmetric_curve(shapes: Sequence[Shape], tolerances: Sequence[float]) -> list[float]:
    """Compute the share of the shapes without symmetry at each tolerance.

    Parameters
    ----------
    shapes : sequence of Shape
        The shapes.
    tolerances : sequence of float
        In ångström, up to 0.5.

    Returns
    -------
    list of float
        One share a tolerance.
    """
    first = np.sort([one.levels[1].deviation if len(one.levels) > 1 else math.inf for one in shapes])
    return [1 - float(np.searchsorted(first, tolerance, "right")) / max(len(first), 1) for tolerance in tolerances]


def _group_distance(shapes: Sequence[Shape], tolerance: float, reference: GeometryReference, lost: int) -> Estimate:
    distribution = reference.counts.get(f"point_group.{tolerance}", {})
    return total_variation([{one.group(tolerance): 1} for one in shapes], distribution, lost)


def _orders(samples: Geometries) -> tuple[list[int | None], list[int | None]]:
    """Automorphisms of each valid record's graph with its hydrogens, and the permutations that its point group
    keeps."""
    before: list[int | None] = [None] * len(samples)
    after: list[int | None] = [None] * len(samples)
    for index, bonds, one in zip(samples.readable, samples.perceptions, samples.shapes, strict=True):
        if (
            isinstance(bonds, Undetermined)
            or isinstance(one, Undetermined)
            or bonds.canonical is None
            or one.group(TIGHT) == UNDECIDED
        ):
            continue
        try:
            before[index] = automorphisms(
                samples[index].numbers.tolist(), {(i, j): kind for i, j, kind in bonds.bonds.tolist()}
            )[0]
        except SearchExhausted:
            continue
        after[index] = one.at(TIGHT).permutations
    return before, after


def _not_below(estimate: Estimate) -> Estimate:
    return estimate if estimate.low is None else replace(estimate, low=max(estimate.low, 0.0))
