"""The space group of a periodic lattice times spin flip, and what of it a Hamiltonian or a configuration keeps.

An element moves a configuration by a point operation p, then a translation t, then possibly the flip of all spins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import torch

from symdiff.groups.bravais import LatticeKind, inverses
from symdiff.groups.lattices import Space
from symdiff.spins.hamiltonian import Hamiltonian
from symdiff_evaluation.spins.observables import Wave, pattern, phase_name, waves

_BATCH = 1 << 21  # spins at once
_FEW = 8  # values whose places are compared by Fourier transforms
ENUMERATED = 64  # sites up to which orbits are told apart by their images
KINDS: dict[int, LatticeKind] = {1: "chain", 2: "square", 3: "cubic"}


@dataclass(frozen=True, eq=False)
class Subgroup:
    """A subgroup of the space group of a torus times flip: ``allowed[p, t]`` without flip, ``flipped[p, t]`` with it.

    ``space``: the whole space group, on the sides ``shape``; ``allowed`` and ``flipped``: (P, L1, ..., Ld) bool, for
    the P point operations that fit the sides and the translations t.
    """

    space: Space
    shape: tuple[int, ...]
    allowed: np.ndarray
    flipped: np.ndarray

    @property
    def order(self) -> int:
        """Number of elements."""
        return int(self.allowed.sum() + self.flipped.sum())

    @property
    def operations(self) -> np.ndarray:
        """The point operations as integer matrices, (P, d, d)."""
        return self.space.lattice.operations[self.space.operations(math.prod(self.shape))].numpy()

    def move(self, arrays: np.ndarray, operation: int) -> np.ndarray:
        """Move arrays over the lattice (..., L1, ..., Ld) by a point operation."""
        lead = arrays.shape[: arrays.ndim - len(self.shape)]
        return arrays.reshape(*lead, -1)[..., _sources(self.space.lattice.kind, self.shape)[operation]].reshape(
            arrays.shape
        )

    def move_wave(self, wave: Wave, operation: int) -> Wave:
        """The wave vector of a moved pattern."""
        back = inverses(torch.from_numpy(self.operations[operation]))
        return tuple(int(step) for step in back.numpy().T @ wave % 2)


@cache
def _sources(kind: LatticeKind, shape: tuple[int, ...]) -> np.ndarray:
    """For each point operation and each site the number of the one that is carried to it: (P, N)."""
    space, nodes = Space(kind, shape), math.prod(shape)
    operations = space.operations(nodes)
    still = torch.zeros(len(operations), len(shape), dtype=torch.int64)
    return space.preimages(torch.cat([operations[:, None], still], 1), nodes).numpy()


@lru_cache(maxsize=64)
def space_group(shape: tuple[int, ...], kind: LatticeKind | None = None, flip: bool = True) -> Subgroup:
    """All point operations that fit the sides, all translations, and the flip if asked for: 16 L^2 for an L x L square
    lattice.

    ``kind``: chain, square, triangular or cubic; None for the one of right angles. Raises ``ValueError`` for sides
    below 2.
    """
    space = Space(kind or KINDS[len(shape)], shape)
    every = np.ones((len(space.operations(math.prod(shape))), *shape), bool)
    return Subgroup(space, tuple(shape), every, np.full_like(every, flip))


@lru_cache(maxsize=64)
def symmetries(hamiltonian: Hamiltonian) -> Subgroup:
    """The elements that leave the energy of every configuration as it is, term by term.

    Raises ``ValueError`` where there are several Hamiltonians.
    """
    if len(hamiltonian) > 1:
        raise ValueError("couplings and field differ from sample to sample: there is no one symmetry group")
    shape = hamiltonian.torus.sides
    group = space_group(shape, hamiltonian.torus.lattice.kind)
    star = list(map(tuple, hamiltonian.star.tolist()))
    couplings = {d: hamiltonian.coupling[0, :, k].numpy().reshape(shape) for k, d in enumerate(star)}
    couplings = {d: j for d, j in couplings.items() if j.any()}
    field = hamiltonian.field[0, :, 0].numpy().reshape(shape)
    allowed, flipped = np.zeros_like(group.allowed), np.zeros_like(group.flipped)
    for operation, matrix in enumerate(group.operations):
        moved = {tuple((matrix @ d).tolist()): group.move(j, operation) for d, j in couplings.items()}
        if not moved.keys() <= couplings.keys():
            continue
        keep = np.logical_and.reduce(
            [_equal_shifts(couplings[d], j, 1) for d, j in moved.items()] or [np.ones(shape, bool)]
        )
        allowed[operation] = keep & _equal_shifts(field, group.move(field, operation), 1)
        flipped[operation] = keep & _equal_shifts(field, group.move(field, operation), -1)
    return Subgroup(group.space, shape, allowed, flipped)


def stabilizer_orders(spins: np.ndarray, group: Subgroup) -> np.ndarray:
    """How many elements of ``group`` leave each configuration of (count, L1, ..., Ld) as it is: (count,) int64."""
    return count_kept(spins, (group,))[0]


def count_kept(spins: np.ndarray, groups: Sequence[Subgroup]) -> np.ndarray:
    """``stabilizer_orders`` in several subgroups of one space group: (groups, count) int64."""
    shape = groups[0].shape
    axes, sites = tuple(range(1, spins.ndim)), math.prod(shape)
    orders = np.zeros((len(groups), len(spins)), np.int64)
    step = max(_BATCH // sites, 1)
    for start in range(0, len(spins), step):
        part = spins[start : start + step].astype(np.float64)
        waves_ = np.fft.rfftn(part, axes=axes)
        for number in range(len(groups[0].allowed)):
            moved = np.fft.rfftn(groups[0].move(part, number), axes=axes)
            # overlap[t] = sum over r of (moved by t)(r) s(r): plus or minus the number of sites where all agree
            overlap = np.fft.irfftn(moved.conj() * waves_, shape, axes=axes)
            same, opposite = overlap > sites - 1, overlap < 1 - sites
            for row, group in zip(orders, groups, strict=True):
                row[start : start + step] += (same & group.allowed[number]).sum(axes)
                row[start : start + step] += (opposite & group.flipped[number]).sum(axes)
    return orders


def variants(shape: tuple[int, ...], group: Subgroup) -> list[list[tuple[Wave, int]]]:
    """The ordered states (wave, sign of its order parameter), gathered by the elements of ``group`` that carry one
    to another."""
    left = [(wave, sign) for wave in waves(shape) for sign in (1, -1)]
    orbits = []
    while left:
        wave, sign = left[0]
        orbit = set()
        for number in range(len(group.allowed)):
            image = group.move_wave(wave, number)
            signs = pattern(image, shape)
            orbit |= {(image, sign * int(s)) for s in np.unique(signs[group.allowed[number]])}
            orbit |= {(image, -sign * int(s)) for s in np.unique(signs[group.flipped[number]])}
        orbits.append(sorted(orbit, key=lambda state: (state[0], -state[1])))
        left = [state for state in left if state not in orbit]
    return orbits


def phases(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each configuration's strongest order, of ``observables.orders`` (count, waves): its wave's number (count,), and
    its sign.

    The sign is 0 where no wave is strongest alone.
    """
    best = np.abs(strength).argmax(1)
    top = np.take_along_axis(strength, best[:, None], 1)[:, 0]
    tied = (np.abs(np.abs(strength) - np.abs(top)[:, None]) < 1e-9).sum(1) > 1
    return best, np.where(tied, 0, np.sign(top)).astype(np.int64)


def images(spins: np.ndarray, group: Subgroup) -> tuple[np.ndarray, np.ndarray]:
    """What names its orbit and what names itself, for every configuration: (count,), (count,) uint64.

    A configuration is named by its spins as bits, its orbit under ``group`` by the smallest image. For lattices of at
    most 64 sites. Raises ``ValueError`` for larger ones, whose configurations seldom repeat.
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
    for number in range(len(group.allowed)):
        moved = group.move(kinds, number)
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


def _equal_shifts(one: np.ndarray, two: np.ndarray, sign: int) -> np.ndarray:
    """Whether ``two`` moved by t and multiplied by ``sign`` is ``one``, for every t: same shape, bool."""
    if (one == one.flat[0]).all() and (two == two.flat[0]).all():
        return np.full(one.shape, bool(one.flat[0] == sign * two.flat[0]))
    axes = tuple(range(one.ndim))
    values, counts = np.unique(one, return_counts=True)
    if len(values) <= _FEW:
        ours, theirs = ([np.fft.rfftn(array == value, axes=axes) for value in values] for array in (one, sign * two))
        # at how many sites the moved one agrees
        agree = np.sum(
            [np.fft.irfftn(b.conj() * a, one.shape, axes=axes) for a, b in zip(ours, theirs, strict=True)], 0
        )
        return agree > one.size - 0.5
    rare = values[counts.argmin()]
    site = np.argwhere(one == rare)[0]
    same = np.roll(np.flip(two), site + 1, axes) * sign == rare  # two at site - t, for every t
    for t in map(tuple, np.argwhere(same)):
        same[t] = np.array_equal(np.roll(two, t, axes) * sign, one)
    return same
