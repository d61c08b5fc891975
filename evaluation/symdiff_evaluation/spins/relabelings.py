"""The space group times the permutations of labels that keep the interaction of Potts or clock spins, and what of
it configurations keep."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symdiff_evaluation.spins.symmetry import ENUMERATED, Subgroup

_BATCH = 1 << 20  # spins at once


@dataclass(frozen=True)
class Relabelings:
    """A subgroup of the space group times all permutations of labels that keep the interaction.

    Those are all q! for Potts spins; for clock spins s -> ±s + k, of which there are 2q, at q = 2 two. It is
    ``SpinLattice.group``.

    Parameters
    ----------
    space : Subgroup
        The subgroup of the space group; its flips do not count.
    model : str
        "potts" or "clock".
    states : int
        q.
    """

    space: Subgroup
    model: str
    states: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides of the lattice."""
        return self.space.shape

    @property
    def allowed(self) -> np.ndarray:
        """Which elements of the space group are in it, without a permutation of labels: (P, L1, ..., Ld) bool."""
        return self.space.allowed

    @property
    def labelings(self) -> int:
        """Number of permutations of labels."""
        if self.model == "potts":
            return math.factorial(self.states)
        return 2 * self.states if self.states > 2 else 2

    @property
    def order(self) -> int:
        """Number of elements."""
        return int(self.space.allowed.sum()) * self.labelings


def count_kept(labels: np.ndarray, groups: Sequence[Relabelings]) -> np.ndarray:
    """Count how many elements of several subgroups of one group leave each configuration as it is.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    groups : sequence of Relabelings
        The subgroups.

    Returns
    -------
    numpy.ndarray, (groups, count) int64
        The counts.
    """
    shape, orders = groups[0].shape, np.zeros((len(groups), len(labels)), np.int64)
    count = _of_potts if groups[0].model == "potts" else _of_clock
    step = max(_BATCH // (math.prod(shape) * groups[0].states), 1)
    for start in range(0, len(labels), step):
        part = labels[start : start + step]
        for number in range(len(groups[0].allowed)):
            ways = count(part, groups[0].space.move(part, number), groups[0].states)
            for row, group in zip(orders, groups, strict=True):
                row[start : start + step] += (ways * group.allowed[number]).sum(tuple(range(1, part.ndim)))
    return orders


def _of_potts(labels: np.ndarray, moved: np.ndarray, states: int) -> np.ndarray:
    """How many permutations of labels make ``moved``, shifted by t, the configuration again, for every t: (count, L1,
    ..., Ld) int64.

    There is one on the labels that occur, or none; the others are free.
    """
    axes, shape = tuple(range(1, labels.ndim)), labels.shape[1:]
    ours, theirs = ([np.fft.rfftn(part == a, axes=axes) for a in range(states)] for part in (labels, moved))
    sizes = np.stack([(labels == a).sum(axes) for a in range(states)])
    alike = np.zeros(labels.shape, np.int64)
    for a in range(states):
        for b in range(states):
            # overlap[t]: at how many sites the moved a meets b; all of both, where the permutation takes a to b
            overlap = np.fft.irfftn(theirs[a].conj() * ours[b], shape, axes=axes).round().astype(np.int64)
            whole = np.where((sizes[a] == sizes[b]) & (sizes[a] > 0), sizes[a], -1).reshape(-1, *[1] * len(axes))
            alike += overlap == whole
    present = (sizes > 0).sum(0)
    free = np.array([math.factorial(states - int(k)) for k in present], np.int64)
    return np.where(alike == present.reshape(-1, *[1] * len(axes)), free.reshape(-1, *[1] * len(axes)), 0)


def _of_clock(labels: np.ndarray, moved: np.ndarray, states: int) -> np.ndarray:
    """The same for clock spins: one rotation, one reflection, both or none."""
    axes, sites = tuple(range(1, labels.ndim)), math.prod(labels.shape[1:])
    turns = np.exp(2j * math.pi * np.arange(states) / states)
    least = sites - (1 - math.cos(2 * math.pi / states)) / 4  # one site off its angle costs more
    ours, ways = np.fft.fftn(turns[labels], axes=axes), np.zeros(labels.shape, np.int64)
    for sense in (1, -1) if states > 2 else (1,):
        theirs = np.fft.fftn(turns[sense * moved % states], axes=axes)
        ways += np.abs(np.fft.ifftn(theirs.conj() * ours, axes=axes)) > least
    return ways


def images(labels: np.ndarray, group: Relabelings) -> tuple[np.ndarray, np.ndarray]:
    """Name the orbit of every configuration, and itself.

    Names are hashes of 64 bits: of a configuration, and of the least of its images.

    Parameters
    ----------
    labels : numpy.ndarray, (count, L1, ..., Ld)
        0 to q - 1.
    group : Relabelings
        The group.

    Returns
    -------
    tuple of numpy.ndarray, (count,) uint64
        Names of the orbits, and of the configurations.

    Raises
    ------
    ValueError
        For more than 64 sites.
    """
    sites = math.prod(group.shape)
    if sites > ENUMERATED:
        raise ValueError(f"orbits are enumerated up to {ENUMERATED} sites, got {sites}")
    kinds, which = np.unique(labels.reshape(-1, sites), axis=0, return_inverse=True)
    kinds = kinds.reshape(-1, *group.shape)
    least = _row_bytes(_normal(kinds, group))
    for number in range(len(group.allowed)):
        moved = group.space.move(kinds, number)
        for t in zip(*np.nonzero(group.allowed[number]), strict=True):
            image = _row_bytes(_normal(np.roll(moved, t, tuple(range(1, moved.ndim))), group))
            least = np.where(image < least, image, least)
    return _names(least)[which.ravel()], _names(_row_bytes(kinds.reshape(-1, sites)))[which.ravel()]


def _normal(labels: np.ndarray, group: Relabelings) -> np.ndarray:
    """The same for all configurations that differ by a permutation of labels: (count, sites)."""
    flat = labels.reshape(len(labels), math.prod(group.shape)).astype(np.int64)
    if group.model == "potts":  # numbered as they first occur
        first = np.stack(
            [np.where((at := flat == a).any(1), at.argmax(1), flat.shape[1] + a) for a in range(group.states)], 1
        )
        return np.take_along_axis(first.argsort(1).argsort(1), flat, 1)
    turned = (flat - flat[:, :1]) % group.states
    back = -turned % group.states
    return np.where((_row_bytes(back) < _row_bytes(turned))[:, None], back, turned)


def _row_bytes(rows: np.ndarray) -> np.ndarray:
    """Rows of small whole numbers as strings that are ordered as they are: (count,)."""
    return np.ascontiguousarray(rows.astype(np.uint8)).view(f"S{rows.shape[1]}").ravel()


def _names(strings: np.ndarray) -> np.ndarray:
    return np.array(
        [int.from_bytes(hashlib.blake2b(one, digest_size=8).digest(), "little") for one in strings.tolist()], np.uint64
    )
