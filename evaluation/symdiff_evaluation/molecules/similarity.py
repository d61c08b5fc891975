"""Similarities of sets of molecules: cosine of counts, Tanimoto of fingerprints, with intervals over records."""

from __future__ import annotations

import math
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from symdiff_evaluation.core.digest import digest
from symdiff_evaluation.core.estimate import Z95, Estimate, mean, nothing
from symdiff_evaluation.core.jackknife import variances

Label = TypeVar("Label", bound=Hashable)

_BLOCK = 2048
_GROUPS = 32
_STUDENT = 2.0395  # 97.5 % point of Student's t with 31 degrees of freedom


def cosine(rows: Sequence[Mapping[Label, int]], target: Mapping[Label, int]) -> Estimate:
    """Estimate the cosine of the angle between two vectors of counts.

    The interval is the normal one of the first-order variance over records.

    Parameters
    ----------
    rows : sequence of mapping of label to int
        Counts by label, one mapping a record; they are summed.
    target : mapping of label to int
        Counts by label of the reference.

    Returns
    -------
    Estimate
        Between 0 and 1; no value where either is empty.
    """
    pooled: dict[Label, int] = {}
    for row in rows:
        for label, number in row.items():
            pooled[label] = pooled.get(label, 0) + number
    ours = math.sqrt(math.fsum(n * n for n in pooled.values()))
    theirs = math.sqrt(math.fsum(n * n for n in target.values()))
    if not ours or not theirs:
        return nothing(len(rows))
    value = math.fsum(n * target.get(label, 0) for label, n in pooled.items()) / (ours * theirs)
    pull = {label: target.get(label, 0) / (ours * theirs) - value * n / ours**2 for label, n in pooled.items()}
    pulls = [math.fsum(number * pull[label] for label, number in row.items()) for row in rows]
    half = Z95 * math.sqrt(math.fsum(p * p for p in pulls))
    return Estimate(min(value, 1.0), max(value - half, 0.0), min(value + half, 1.0), len(rows))


def nearest_similarity(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """Estimate the mean over our fingerprints of the largest Tanimoto similarity to any of theirs (SNN).

    The interval is the normal one over our records; theirs are a fixed set.

    Parameters
    ----------
    ours : numpy.ndarray, (n, bytes) uint8
        Packed fingerprints of the samples.
    theirs : numpy.ndarray, (m, bytes) uint8
        Packed fingerprints of the reference.

    Returns
    -------
    Estimate
        Between 0 and 1.

    References
    ----------
    Polykovskiy et al., Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models, Front.
    Pharmacol. 11 (2020).
    """
    if not len(ours) or not len(theirs):
        return nothing(len(ours))
    kinds, which = np.unique(ours, axis=0, return_inverse=True)
    best = np.zeros(len(kinds))
    for start, stop, _, _, similarity in _tanimoto(kinds, theirs):
        best[start:stop] = np.maximum(best[start:stop], similarity.max(1))
    values = best[which.ravel()]
    return mean(math.fsum(values), math.fsum(values * values), len(values)).clip(most=1.0)


def internal_diversity(
    packed: np.ndarray, powers: Sequence[int] = (1, 2)
) -> tuple[dict[int, Estimate], dict[int, Estimate]]:
    """Estimate the internal diversity IntDiv_p, by the paper's formula and as MOSES's program computes it.

    The paper: 1 - (mean over all n^2 pairs, each with itself among them, of T^p)^(1/p). The program: 1 - mean over i of
    (mean over j of T_ij^p)^(1/p). They agree for p = 1. Intervals are those of the number that sets of n records have
    on average (``_formula``, ``_program``).

    Parameters
    ----------
    packed : numpy.ndarray, (n, bytes) uint8
        Packed fingerprints.
    powers : sequence of int
        The values of p.

    Returns
    -------
    tuple of dict of int to Estimate
        By p: the paper's and the program's.

    References
    ----------
    Polykovskiy et al., Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models, Front.
    Pharmacol. 11 (2020).
    """
    count = len(packed)
    if count == 0:
        return {p: nothing() for p in powers}, {p: nothing() for p in powers}
    kinds, times = np.unique(packed, axis=0, return_counts=True)
    members = _members(kinds, times)
    sums = {p: np.zeros(members.shape) for p in powers}
    squares = dict.fromkeys(powers, 0.0)
    for start, stop, first, last, similarity in _tanimoto(kinds, kinds, half=True):
        power = np.ones_like(similarity)
        for p in range(1, max(powers) + 1):
            power *= similarity
            if p in sums:
                sums[p][start:stop] += power @ members[first:last]
                if first != start:
                    sums[p][first:last] += power.T @ members[start:stop]
                again = 1 if first == start else 2
                squares[p] += again * float(times[start:stop] @ (power * power) @ times[first:last])
    paper = {p: _formula(sums[p].sum(1), times, squares[p], p) for p in powers}
    return paper, {p: paper[1] if p == 1 and 1 in paper else _program(sums[p], members, p) for p in powers}


def _members(kinds: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many records of each kind are in each group: (kinds, groups).

    By content, so the order of records is nothing.
    """
    count = int(times.sum())
    # of this set alone: one division for all sets of few kinds would be equally unlucky for all of them
    seed = digest(f"{zlib.crc32(kinds.tobytes())} {zlib.crc32(times.astype('>i8').tobytes())}")
    group = np.random.default_rng(seed).permutation(count) % _GROUPS
    members = np.zeros((len(times), _GROUPS), np.float32)
    np.add.at(members, (np.repeat(np.arange(len(times)), times), group), 1)
    return members


def _formula(sums: np.ndarray, times: np.ndarray, squares: float, p: int) -> Estimate:
    """``sums``: of T^p over all records, for each kind; ``squares``: of T^2p over all pairs.

    The mean over pairs of different records is a U-statistic: its jackknife variance counts the spread of products of
    errors twice, of which one is taken away again.
    """
    count = int(times.sum())
    center = math.fsum(sums * times) / count**2
    value = max(1 - center ** (1 / p), 0.0)
    if count < 4:
        return Estimate(value, None, None, count)
    own = sums - 1  # without the record itself
    middle = math.fsum(own * times) / count
    rows = math.fsum((own - middle) ** 2 * times)
    # the sum of squares of T^p off the diagonal, centered so that over n (n - 3) it is without bias
    pairs = (
        squares
        - count
        - 2 / (count - 2) * (rows + count * middle**2)
        + (count * middle) ** 2 / ((count - 1) * (count - 2))
    )
    second = 2 * max(pairs, 0.0) / (count * (count - 3)) / (count * (count - 1))
    first = max(4 * rows / (count - 1) / (count - 2) ** 2 / count - 2 * second, 0.0)
    half = Z95 * center ** (1 / p - 1) / p * math.sqrt(first + second) * (count - 1) / count
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), count)


def _program(sums: np.ndarray, members: np.ndarray, p: int) -> Estimate:
    """``sums``: of T^p over the records of each group, (kinds, groups).

    The interval is that of the jackknife over groups.
    """
    members = members.astype(np.float64)
    times, whole, count = members.sum(1), sums.sum(1), int(members.sum())

    def diversity(total: np.ndarray, weights: np.ndarray) -> np.ndarray:
        number = weights.sum(0)
        return 1 - ((np.maximum(total, 0) / number) ** (1 / p) * weights).sum(0) / number

    value = max(float(diversity(whole, times)), 0.0)
    if count < 2 * _GROUPS:
        return Estimate(value, None, None, count)
    less, fewer = whole[:, None] - sums, times[:, None] - members
    one = diversity(less, fewer)
    two = np.array([diversity(less[:, [g]] - sums, fewer[:, [g]] - members) for g in range(_GROUPS)])
    half = _STUDENT * math.sqrt(sum(variances(one, two)))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), count)


def _tanimoto(
    ours: np.ndarray, theirs: np.ndarray, half: bool = False
) -> Iterator[tuple[int, int, int, int, np.ndarray]]:
    """Blocks of similarities: rows start..stop of ours against first..last of theirs; with ``half``, first >= start
    only.

    Two empty fingerprints are alike.
    """
    sizes = [_bits(packed).sum(1) for packed in (ours, theirs)]
    for start in range(0, len(ours), _BLOCK):
        stop = min(start + _BLOCK, len(ours))
        mine = _bits(ours[start:stop])
        for first in range(start if half else 0, len(theirs), _BLOCK):
            last = min(first + _BLOCK, len(theirs))
            common = mine @ _bits(theirs[first:last]).T
            either = sizes[0][start:stop, None] + sizes[1][None, first:last] - common
            np.divide(common, either, out=common, where=either > 0)
            common[either == 0] = 1.0
            yield start, stop, first, last, common


def _bits(packed: np.ndarray) -> np.ndarray:
    return np.unpackbits(packed, axis=1).astype(np.float32)
