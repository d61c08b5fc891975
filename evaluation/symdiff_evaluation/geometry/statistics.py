"""What a data set of geometries looks like, in few numbers: the counts and quantiles that metrics compare with."""

from __future__ import annotations

from collections import Counter

import numpy as np

from symdiff_evaluation.geometry.geometries import Geometries
from symdiff_evaluation.geometry.internal import pooled
from symdiff_evaluation.geometry.limited import Undetermined
from symdiff_evaluation.metrics.geometry.shapes import LOOSE, TIGHT, chiralities, point_groups

QUANTILES = 512
_RARE = 50  # values of a label that are too few for a law


def statistics(geometries: Geometries) -> tuple[dict[str, dict[str, int]], dict[str, np.ndarray]]:
    """Counts by name and label, and quantiles by name, each (q,) sorted float32 standing for equal shares.

    Counts: "bond" and "angle" by label, "point_group.0.1" and "point_group.0.3" by symbol. Quantiles: "length.C-H", "angle.C-C-H" and the like
    (of labels with at least 50 values), "strain" in kcal/mol per atom, "chirality" in angstrom.
    """
    spans, bends = (pooled(part) for part in geometries.internal)
    shapes = [one for one in geometries.shapes if not isinstance(one, Undetermined)]
    relaxed = [one for one in geometries.strained if not isinstance(one, Undetermined) and one.energy is not None]
    counts = {
        "bond": {label: len(values) for label, values in spans.items()},
        "angle": {label: len(values) for label, values in bends.items()},
        **{f"point_group.{tolerance}": _sorted(point_groups(shapes, tolerance)) for tolerance in (TIGHT, LOOSE)},
    }
    quantiles = {f"length.{label}": _quantiles(values) for label, values in spans.items() if len(values) >= _RARE}
    quantiles |= {f"angle.{label}": _quantiles(values) for label, values in bends.items() if len(values) >= _RARE}
    quantiles["strain"] = _quantiles(np.array([one.energy / one.atoms for one in relaxed]))
    quantiles["chirality"] = _quantiles(chiralities(shapes))
    return counts, quantiles


def _quantiles(values: np.ndarray) -> np.ndarray:
    if len(values) <= QUANTILES:
        return np.sort(values).astype(np.float32)
    return np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
