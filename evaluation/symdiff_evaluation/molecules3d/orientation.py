"""Does a distribution of geometries prefer an orientation?

Moments of the atoms point where the geometry does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from symdiff_evaluation.core.balance import Balance, combine, direction_balance

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms

_FAINT = 1e-4  # of moments that are at most about 1: below it a direction could be rounding


def orientation_balance(geometries: Sequence[PlacedAtoms]) -> Balance:
    """Test that geometries are turned in all directions equally often, as a distribution invariant under rotations has
    it.

    Two moments are looked at, which move as irreducible representations: the first moment of the atomic numbers about
    the centroid (a vector) and the second moment of the atoms without its trace (five numbers). They are uncorrelated
    under an invariant distribution.

    Parameters
    ----------
    geometries : sequence of PlacedAtoms
        The molecules.

    Returns
    -------
    Balance
        The test; geometries without a direction are undecided.
    """
    pairs = [moments(one.numbers, one.positions) for one in geometries]
    if not pairs:
        return Balance(0.0, 0.0, 0.0, 0)
    test = combine([direction_balance(np.array(part)) for part in zip(*pairs, strict=True)])
    count = sum(bool(first.any() or second.any()) for first, second in pairs)
    return Balance(test.statistic, test.mean, test.variance, count, len(pairs) - count)


def moments(numbers: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute a vector and a traceless symmetric matrix that turn with the geometry.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    positions : numpy.ndarray, (n, 3)
        In ångström.

    Returns
    -------
    tuple of numpy.ndarray, (3,) and (5,)
        Scaled by the size of the geometry; zeros where a moment is about zero.
    """
    x = positions - positions.mean(0)
    x = x / (np.sqrt((x**2).sum(1).mean()) or 1.0)
    first = numbers @ x / numbers.sum()
    second = x.T @ x / len(x)
    second = second - np.trace(second) / 3 * np.eye(3)
    # an orthonormal basis of symmetric matrices without a trace
    five = np.array(
        [
            np.sqrt(2) * second[0, 1],
            np.sqrt(2) * second[1, 2],
            np.sqrt(2) * second[0, 2],
            (second[0, 0] - second[1, 1]) / np.sqrt(2),
            np.sqrt(1.5) * second[2, 2],
        ]
    )
    return _clear(first), _clear(five)


def _clear(moment: np.ndarray) -> np.ndarray:
    return moment if np.linalg.norm(moment) > _FAINT else np.zeros_like(moment)
