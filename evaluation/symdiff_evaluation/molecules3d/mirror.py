"""The hand of a geometry.

A sign that turns over in the mirror and does not depend on place, orientation or order of atoms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from symdiff_evaluation.core.balance import Balance, orbit_balance
from symdiff_evaluation.core.estimate import Estimate, nothing

if TYPE_CHECKING:
    from symdiff_evaluation.molecules3d.perception import PerceivedMolecule
    from symdiff_evaluation.molecules3d.samples import PlacedAtoms

FAINT = 1e-4  # of pseudoscalars that lie between -1 and 1: what is below could be rounding


def find_hand(geometry: PlacedAtoms) -> int:
    """Find the hand of a geometry: the sign of the first of some pseudoscalars that is not about zero.

    The sign has no meaning of its own: what counts is that mirror images have opposite ones. It is 0 for whatever is
    its own mirror image, and for chiral figures of high symmetry (D2, C3 and more).

    Parameters
    ----------
    geometry : PlacedAtoms
        The molecule.

    Returns
    -------
    int
        1, -1 or 0.
    """
    for value in pseudoscalars(geometry.numbers, geometry.positions):
        if abs(value) > FAINT:
            return 1 if value > 0 else -1
    return 0


def pseudoscalars(numbers: np.ndarray, positions: np.ndarray) -> list[float]:
    """Compute numbers between -1 and 1 that change their sign in the mirror.

    The first is the volume that three first moments span (their weights: atomic number, squared distance from the
    centroid, both); the others are a first moment times the axial vector of the commutator of two second moments, which
    a twofold axis leaves.

    Parameters
    ----------
    numbers : numpy.ndarray, (n,)
        Atomic numbers.
    positions : numpy.ndarray, (n, 3)
        In ångström.

    Returns
    -------
    list of float
        Up to four numbers; those that cannot be scaled are left out.
    """
    x = positions - positions.mean(0)
    scale = np.sqrt((x**2).sum(1).mean()) or 1.0
    x = x / scale
    squares = (x**2).sum(1)
    weights = np.stack([numbers.astype(np.float64), squares, numbers * squares])
    first = weights @ x
    second = np.einsum("wn,na,nb->wab", weights[:2], x, x)
    commutator = second[0] @ second[1] - second[1] @ second[0]
    axial = np.array([commutator[1, 2], commutator[2, 0], commutator[0, 1]])
    sizes = np.linalg.norm(first, axis=1)
    values = [float(np.linalg.det(first) / sizes.prod())] if sizes.min() > FAINT else []
    whole = np.linalg.norm(second[0]) * np.linalg.norm(second[1])
    return values + [
        float(one @ axial / (size * whole))
        for one, size in zip(first, sizes, strict=True)
        if size > FAINT and whole > 0
    ]


def binomial_balance(right: int, left: int, undecided: int = 0) -> Estimate:
    """Test that two outcomes are equally likely, by the exact two-sided binomial test.

    Parameters
    ----------
    right, left : int
        How often each occurs.
    undecided : int
        Number of records that are left out.

    Returns
    -------
    Estimate
        The p-value; no value where neither occurs.
    """
    if right + left == 0:
        return nothing(undecided)
    return Estimate(float(binomtest(right, right + left).pvalue), None, None, right + left, undecided)


def enantiomer_balance(molecules: Iterable[PerceivedMolecule]) -> Balance:
    """Test that of each chiral molecule, told apart by its stereo SMILES, both mirror images are equally frequent.

    Parameters
    ----------
    molecules : iterable of PerceivedMolecule
        The molecules; achiral ones are left out.

    Returns
    -------
    Balance
        The test.
    """
    pairs = [
        (min(one.stereo, one.mirrored), one.stereo <= one.mirrored)
        for one in molecules
        if one.canonical is not None and one.chiral
    ]
    kinds = {name: number for number, name in enumerate(sorted({name for name, _ in pairs}))}
    return orbit_balance([kinds[name] for name, _ in pairs], [int(side) for _, side in pairs], np.full(len(pairs), 2))
