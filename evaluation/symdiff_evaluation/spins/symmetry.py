"""The space group of a periodic lattice times spin flip, and what of it a Hamiltonian or a configuration keeps.

An element moves a configuration by a point operation p, then a translation t, then possibly the flip of all spins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from symdiff.groups.torus import torus
from symdiff_evaluation.spins.hamiltonian import Hamiltonian, Offset, thawed
from symdiff_evaluation.spins.observables import Wave, pattern, phase_name, waves

_BATCH = 1 << 21  # spins at once
ENUMERATED = 64  # sites up to which orbits are told apart by their images
KINDS = {1: "chain", 2: "square", 3: "cubic"}


@dataclass(frozen=True)
class Point:
    """A point operation n -> ``matrix`` n on integer vectors, modulo the lengths."""

    matrix: tuple[tuple[int, ...], ...]

    def move(self, arrays: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Move arrays over the lattice (..., L1, ..., Ld)."""
        lead = arrays.shape[: arrays.ndim - len(shape)]
        return arrays.reshape(*lead, -1)[..., _sources(self, shape)].reshape(arrays.shape)

    def offset(self, offset: Offset) -> Offset:
        """The offset between the moved ends of a bond."""
        return tuple(int(step) for step in np.array(self.matrix) @ offset)

    def wave(self, wave: Wave) -> Wave:
        """The wave vector of a moved pattern."""
        return tuple(int(step) for step in self.inverse.T @ wave % 2)

    @property
    def inverse(self) -> np.ndarray:
        return np.linalg.inv(np.array(self.matrix)).round().astype(int)


@cache
def _sources(point: Point, shape: tuple[int, ...]) -> np.ndarray:
    """For each site the number of the one that is carried to it."""
    places = np.stack(np.indices(shape), -1) @ point.inverse.T
    return np.ravel_multi_index(tuple(np.moveaxis(places % shape, -1, 0)), shape).ravel()


@dataclass(frozen=True)
class Symmetries:
    """A subgroup of the space group times flip: ``allowed[p, t]`` without flip, ``flipped[p, t]`` with it.

    ``allowed`` and ``flipped``: (len(points), L1, ..., Ld) bool.
    """

    shape: tuple[int, ...]
    points: tuple[Point, ...]
    allowed: np.ndarray
    flipped: np.ndarray

    @property
    def order(self) -> int:
        """Number of elements."""
        return int(self.allowed.sum() + self.flipped.sum())


@lru_cache(maxsize=64)
def space_group(shape: tuple[int, ...], kind: str | None = None, flip: bool = True) -> Symmetries:
    """All point operations that fit the sides, all translations, and the flip if asked for: 16 L^2 for an L x L square lattice.

    ``kind``: chain, square, triangular or cubic; None for the one of right angles. Raises ``ValueError`` for sides below 2.
    """
    piece = torus(kind or KINDS[len(shape)], shape)
    chosen = piece.lattice.operations[piece.point_group()].tolist()
    points = tuple(Point(tuple(map(tuple, matrix))) for matrix in chosen)
    every = np.ones((len(points), *shape), bool)
    return Symmetries(tuple(shape), points, every, np.full_like(every, flip))


def symmetries(hamiltonian: Hamiltonian, shape: tuple[int, ...], kind: str | None = None) -> Symmetries:
    """The elements that leave the energy of every configuration as it is, term by term; couplings of one Hamiltonian only.

    Raises ``ValueError`` where couplings or field differ from sample to sample.
    """
    return _symmetries(hamiltonian.frozen, tuple(shape), kind)


@lru_cache(maxsize=256)
def _symmetries(frozen: tuple, shape: tuple[int, ...], kind: str | None) -> Symmetries:
    hamiltonian, group = thawed(frozen), space_group(shape, kind)
    fixed = {d: _on_sites(j, shape) for d, j in hamiltonian.couplings.items()}
    fixed = {d: j for d, j in fixed.items() if np.any(j)}
    field = _on_sites(hamiltonian.field, shape)
    allowed, flipped = np.zeros_like(group.allowed), np.zeros_like(group.flipped)
    for number, point in enumerate(group.points):
        moved = {point.offset(d): point.move(j, shape) for d, j in fixed.items()}
        if not all(d in fixed or tuple(-step for step in d) in fixed for d in moved):
            continue
        # a bond is written at its lower end, which the move may exchange with the upper one
        pairs = [
            (fixed[d], j) if d in fixed else (fixed[tuple(-step for step in d)], np.roll(j, d, range(len(shape))))
            for d, j in moved.items()
        ]
        keep = np.logical_and.reduce([_equal_shifts(one, two, 1) for one, two in pairs] or [np.ones(shape, bool)])
        allowed[number] = keep & _equal_shifts(field, point.move(field, shape), 1)
        flipped[number] = keep & _equal_shifts(field, point.move(field, shape), -1)
    return Symmetries(shape, group.points, allowed, flipped)


def stabilizer_orders(spins: np.ndarray, group: Symmetries) -> np.ndarray:
    """How many elements of ``group`` leave each configuration of (count, L1, ..., Ld) as it is: (count,) int64."""
    return kept_by(spins, (group,))[0]


def kept_by(spins: np.ndarray, groups: Sequence[Symmetries]) -> np.ndarray:
    """``stabilizer_orders`` in several subgroups of one space group: (groups, count) int64."""
    shape, points = groups[0].shape, groups[0].points
    axes, sites = tuple(range(1, spins.ndim)), math.prod(shape)
    found = np.zeros((len(groups), len(spins)), np.int64)
    step = max(_BATCH // sites, 1)
    for start in range(0, len(spins), step):
        part = spins[start : start + step].astype(np.float64)
        waves_ = np.fft.rfftn(part, axes=axes)
        for number, point in enumerate(points):
            moved = np.fft.rfftn(point.move(part, shape), axes=axes)
            # overlap[t] = sum over r of (moved by t)(r) s(r): plus or minus the number of sites where all agree
            overlap = np.fft.irfftn(moved.conj() * waves_, shape, axes=axes)
            same, opposite = overlap > sites - 1, overlap < 1 - sites
            for row, group in zip(found, groups, strict=True):
                row[start : start + step] += (same & group.allowed[number]).sum(axes)
                row[start : start + step] += (opposite & group.flipped[number]).sum(axes)
    return found


def variants(shape: tuple[int, ...], group: Symmetries) -> list[list[tuple[Wave, int]]]:
    """The ordered states (wave, sign of its order parameter), gathered by the elements of ``group`` that carry one to another."""
    left = [(wave, sign) for wave in waves(shape) for sign in (1, -1)]
    orbits = []
    while left:
        wave, sign = left[0]
        orbit = set()
        for number, point in enumerate(group.points):
            image = point.wave(wave)
            signs = pattern(image, shape)
            orbit |= {(image, sign * int(s)) for s in np.unique(signs[group.allowed[number]])}
            orbit |= {(image, -sign * int(s)) for s in np.unique(signs[group.flipped[number]])}
        orbits.append(sorted(orbit, key=lambda state: (state[0], -state[1])))
        left = [state for state in left if state not in orbit]
    return orbits


def phases(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each configuration's strongest order, of ``observables.orders`` (count, waves): its wave's number (count,), and its sign.

    The sign is 0 where no wave is strongest alone.
    """
    best = np.abs(strength).argmax(1)
    top = np.take_along_axis(strength, best[:, None], 1)[:, 0]
    tied = (np.abs(np.abs(strength) - np.abs(top)[:, None]) < 1e-9).sum(1) > 1
    return best, np.where(tied, 0, np.sign(top)).astype(np.int64)


def images(spins: np.ndarray, group: Symmetries) -> tuple[np.ndarray, np.ndarray]:
    """What names its orbit and what names itself, for every configuration: (count,), (count,) uint64.

    A configuration is named by its spins as bits, its orbit under ``group`` by the smallest image. For lattices of at most 64 sites.
    Raises ``ValueError`` for larger ones, whose configurations seldom repeat.
    """
    sites, dimension = math.prod(group.shape), len(group.shape)
    if sites > ENUMERATED:
        raise ValueError(f"orbits are enumerated up to {ENUMERATED} sites, got {sites}")

    def code(moved: np.ndarray) -> np.ndarray:
        packed = np.packbits((moved > 0).reshape(len(moved), -1), axis=1, bitorder="little")
        padded = np.pad(packed, ((0, 0), (0, 8 - packed.shape[1])))
        return np.ascontiguousarray(padded).view("<u8").ravel()

    own, which = np.unique(code(spins), return_inverse=True)
    bits = (own[:, None] >> np.arange(sites, dtype=np.uint64)) & np.uint64(1)
    kinds = (2 * bits.astype(np.int8) - 1).reshape(-1, *group.shape)
    least = np.full(len(kinds), np.iinfo(np.uint64).max, np.uint64)
    for number, point in enumerate(group.points):
        moved = point.move(kinds, group.shape)
        for t in np.ndindex(group.shape):
            if group.allowed[(number, *t)] or group.flipped[(number, *t)]:
                image = np.roll(moved, t, tuple(range(1, dimension + 1)))
                if group.allowed[(number, *t)]:
                    least = np.minimum(least, code(image))
                if group.flipped[(number, *t)]:
                    least = np.minimum(least, code(-image))
    return least[which], own[which]


def state_name(state: tuple[Wave, int]) -> str:
    """A variant as the report shows it."""
    return f"{phase_name(state[0])} {'+' if state[1] > 0 else '-'}"


def _on_sites(value: float | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    value = np.asarray(value, np.float64)
    if value.ndim > len(shape):
        if value.shape[0] != 1 and (value != value[:1]).any():
            raise ValueError("couplings and field differ from sample to sample: there is no one symmetry group")
        value = value[0]
    return np.broadcast_to(value, shape)


def _equal_shifts(one: np.ndarray, two: np.ndarray, sign: int) -> np.ndarray:
    """Whether ``two`` moved by t and multiplied by ``sign`` is ``one``, for every t: same shape, bool."""
    if (one == one.flat[0]).all() and (two == two.flat[0]).all():
        return np.full(one.shape, bool(one.flat[0] == sign * two.flat[0]))
    axes, same = tuple(range(one.ndim)), np.zeros(one.shape, bool)
    for t in np.ndindex(one.shape):
        same[t] = np.array_equal(np.roll(two, t, axes) * sign, one)
    return same
