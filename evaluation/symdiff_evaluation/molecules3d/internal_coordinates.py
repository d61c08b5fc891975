"""Lengths and angles of perceived bonds, by what they join; angstrom and degrees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from symdiff.chemistry.elements import SYMBOLS
from symdiff_evaluation.core.limits import Undetermined

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import Geometries, PlacedAtoms

ORDERS = ("", "-", "=", "#", ":")  # by the order of a bond; the last: aromatic
Row = Mapping[str, np.ndarray]  # of one molecule: values by label


def measure_lengths(geometry: PlacedAtoms, bonds: np.ndarray) -> dict[str, np.ndarray]:
    """Measure the bond lengths of a molecule.

    Parameters
    ----------
    geometry : PlacedAtoms
        The molecule.
    bonds : numpy.ndarray, (b, 3)
        Atoms i, j and the order, as perceived.

    Returns
    -------
    dict of str to numpy.ndarray
        Lengths in ångström by label such as "C=O", elements in alphabetical order.
    """
    values_of: dict[str, list[float]] = {}
    spans = np.linalg.norm(geometry.positions[bonds[:, 0]] - geometry.positions[bonds[:, 1]], axis=1)
    for (i, j, order), span in zip(bonds.tolist(), spans.tolist(), strict=True):
        first, second = sorted((SYMBOLS[geometry.numbers[i]], SYMBOLS[geometry.numbers[j]]))
        values_of.setdefault(first + ORDERS[order] + second, []).append(span)
    return {label: np.array(values) for label, values in values_of.items()}


def measure_angles(geometry: PlacedAtoms, bonds: np.ndarray) -> dict[str, np.ndarray]:
    """Measure the angles between two bonds of an atom.

    Parameters
    ----------
    geometry : PlacedAtoms
        The molecule.
    bonds : numpy.ndarray, (b, 3)
        As in ``measure_lengths``.

    Returns
    -------
    dict of str to numpy.ndarray
        Angles in degrees by label such as "C-C-H", the middle atom in the middle.
    """
    neighbors: dict[int, list[int]] = {}
    for i, j, _ in bonds.tolist():
        neighbors.setdefault(i, []).append(j)
        neighbors.setdefault(j, []).append(i)
    triples_of: dict[str, list[tuple[int, int, int]]] = {}
    for middle, around in neighbors.items():
        for place, one in enumerate(around):
            for other in around[:place]:
                first, last = sorted((SYMBOLS[geometry.numbers[one]], SYMBOLS[geometry.numbers[other]]))
                triples_of.setdefault(f"{first}-{SYMBOLS[geometry.numbers[middle]]}-{last}", []).append(
                    (one, middle, other)
                )
    return {label: _angle(geometry.positions, np.array(triples)) for label, triples in triples_of.items()}


def measure_rows(geometries: Geometries) -> tuple[list[Row], list[Row]]:
    """Measure the lengths and angles of every valid molecule.

    Parameters
    ----------
    geometries : Geometries
        The set.

    Returns
    -------
    tuple of list
        Lengths and angles, each with one mapping a molecule.
    """
    spans, bends = [], []
    for index, one in zip(geometries.readable, geometries.perceptions, strict=True):
        if not isinstance(one, Undetermined) and one.canonical is not None:
            spans.append(measure_lengths(geometries[index], one.bonds))
            bends.append(measure_angles(geometries[index], one.bonds))
    return spans, bends


def pool(parts: Iterable[Row]) -> dict[str, np.ndarray]:
    """Join the values of many molecules.

    Parameters
    ----------
    parts : iterable of mapping of str to numpy.ndarray
        Values by label, one mapping a molecule.

    Returns
    -------
    dict of str to numpy.ndarray
        All values by label, labels sorted.
    """
    values_of: dict[str, list[np.ndarray]] = {}
    for part in parts:
        for label, values in part.items():
            values_of.setdefault(label, []).append(values)
    return {label: np.concatenate(values_of[label]) for label in sorted(values_of)}


def _angle(positions: np.ndarray, triples: np.ndarray) -> np.ndarray:
    one, other = (
        positions[triples[:, 0]] - positions[triples[:, 1]],
        positions[triples[:, 2]] - positions[triples[:, 1]],
    )
    # the angle from sine and cosine: exact also near 0 and 180 degrees
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other), axis=1), (one * other).sum(1)))
