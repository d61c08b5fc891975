"""The symmetry-breaking gap: what symmetry went in against what came out. For any kind of structure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from symdiff_evaluation.core.estimate import Estimate, fraction, mean, nothing


def breaking_gap(before: Sequence[int | None], after: Sequence[int | None]) -> Estimate:
    """Estimate the mean of ln |Aut(input)| - ln |Aut(output)|.

    An equivariant function cannot get above zero (Curie's principle: the output keeps the symmetries of its input); a
    gap of ln |Aut(input)| is complete breaking. Orders may be beyond what a float holds.

    Parameters
    ----------
    before, after : sequence of int or None, (count,)
        Order of the automorphism group (or stabilizer) of the input and of the output of each sample; None: undecided.

    Returns
    -------
    Estimate
        The mean with its normal interval.

    Raises
    ------
    ValueError
        For an order below 1.
    """
    pairs = _pairs(before, after)
    gaps = np.array([math.log(one) - math.log(two) for one, two in pairs])
    if not len(gaps):
        return nothing(len(before))
    return mean(math.fsum(gaps), math.fsum(gaps * gaps), len(gaps), len(before) - len(gaps))


def broken_share(before: Sequence[int | None], after: Sequence[int | None]) -> Estimate:
    """Estimate the share of the samples with a symmetric input whose output is less symmetric.

    Parameters
    ----------
    before, after : sequence of int or None, (count,)
        As in ``breaking_gap``.

    Returns
    -------
    Estimate
        The share with Wilson's interval.

    Raises
    ------
    ValueError
        For an order below 1.
    """
    pairs = _pairs(before, after)
    symmetric = [(one, two) for one, two in pairs if one > 1]
    return fraction(sum(two < one for one, two in symmetric), len(symmetric), len(before) - len(pairs))


def _pairs(before: Sequence[int | None], after: Sequence[int | None]) -> list[tuple[int, int]]:
    pairs = [(one, two) for one, two in zip(before, after, strict=True) if one is not None and two is not None]
    for one, two in pairs:
        if one < 1 or two < 1:
            raise ValueError(f"orders of groups are at least 1, got {one} and {two}")
    return pairs
