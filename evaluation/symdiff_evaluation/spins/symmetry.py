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
    """A subgroup of the space group of a torus times flip.

    Parameters
    ----------
    space : Space
        The whole space group.
    shape : tuple of int, (d,)
        Sides of the lattice.
    allowed : numpy.ndarray, (P, L1, ..., Ld) bool
        Which of the P point operations that fit the sides, each followed by a translation, are in it.
    flipped : numpy.ndarray, (P, L1, ..., Ld) bool
        Which of them followed by the flip of all spins are in it.
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
        """Move arrays over the lattice by a point operation.

        Parameters
        ----------
        arrays : numpy.ndarray, (..., L1, ..., Ld)
            The arrays.
        operation : int
            Its number.

        Returns
        -------
        numpy.ndarray
            Of the same shape.
        """
        lead = arrays.shape[: arrays.ndim - len(self.shape)]
        return arrays.reshape(*lead, -1)[..., _sources(self.space.lattice.kind, self.shape)[operation]].reshape(
            arrays.shape
        )

    def move_wave(self, wave: Wave, operation: int) -> Wave:
        """Move a pattern by a point operation.

        Parameters
        ----------
        wave : tuple of int, (d,)
            The pattern's wave vector.
        operation : int
            Its number.

        Returns
        -------
        tuple of int
            The wave vector of the moved pattern.
        """
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
    """Make the group of all point operations that fit the sides, all translations, and the flip: 16 L^2 elements for an
    L x L square lattice.

    Parameters
    ----------
    shape : tuple of int, (d,)
        Sides of the lattice.
    kind : str, optional
        chain, square, triangular or cubic; None for the one of right angles.
    flip : bool
        Whether the flip of all spins is in it.

    Returns
    -------
    Subgroup
        The group.

    Raises
    ------
    ValueError
        For sides below 2.
    """
    space = Space(kind or KINDS[len(shape)], shape)
    every = np.ones((len(space.operations(math.prod(shape))), *shape), bool)
    return Subgroup(space, tuple(shape), every, np.full_like(every, flip))


@lru_cache(maxsize=64)
def symmetries(hamiltonian: Hamiltonian) -> Subgroup:
    """Find the elements that leave the energy of every configuration as it is, term by term.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        One.

    Returns
    -------
    Subgroup
        Of ``space_group``.

    Raises
    ------
    ValueError
        Where there are several Hamiltonians.
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
    """Count how many elements of a group leave each configuration as it is.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Ising spins.
    group : Subgroup
        The group.

    Returns
    -------
    numpy.ndarray, (count,) int64
        Orders of the stabilizers.
    """
    return count_kept(spins, (group,))[0]


def count_kept(spins: np.ndarray, groups: Sequence[Subgroup]) -> np.ndarray:
    """Count how many elements of several subgroups of one space group leave each configuration as it is.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Ising spins.
    groups : sequence of Subgroup
        The subgroups.

    Returns
    -------
    numpy.ndarray, (groups, count) int64
        Orders of the stabilizers.
    """
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
    """Gather the ordered states by the elements of a group that carry one to another.

    Parameters
    ----------
    shape : tuple of int, (d,)
        Sides of the lattice.
    group : Subgroup
        The group.

    Returns
    -------
    list of list of tuple
        (wave, sign of its order parameter), one list an orbit.
    """
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
    """Find each configuration's strongest order.

    Parameters
    ----------
    strength : numpy.ndarray, (count, waves)
        What ``observables.orders`` gave.

    Returns
    -------
    tuple of numpy.ndarray, (count,)
        Number of its wave, and its sign: 0 where no wave is strongest alone.
    """
    best = np.abs(strength).argmax(1)
    top = np.take_along_axis(strength, best[:, None], 1)[:, 0]
    tied = (np.abs(np.abs(strength) - np.abs(top)[:, None]) < 1e-9).sum(1) > 1
    return best, np.where(tied, 0, np.sign(top)).astype(np.int64)


def images(spins: np.ndarray, group: Subgroup) -> tuple[np.ndarray, np.ndarray]:
    """Name the orbit of every configuration, and itself.

    A configuration is named by its spins as bits, its orbit by the smallest image.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Ising spins.
    group : Subgroup
        The group.

    Returns
    -------
    tuple of numpy.ndarray, (count,) uint64
        Names of the orbits, and of the configurations.

    Raises
    ------
    ValueError
        For more than 64 sites, where configurations seldom repeat.
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
    """Name a variant for the report.

    Parameters
    ----------
    state : tuple
        (wave, sign of its order parameter).

    Returns
    -------
    str
        Such as "checkerboard +".
    """
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
