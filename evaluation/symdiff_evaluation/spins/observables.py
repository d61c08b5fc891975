"""What one configuration is: magnetization, order at the wave vectors of the phases, domain walls."""

from __future__ import annotations

import itertools

import numpy as np

from symdiff_evaluation.spins.bonds import shift

Wave = tuple[int, ...]
"""A wave vector in units of pi: 0 or 1 along each axis."""


def magnetization(spins: np.ndarray) -> np.ndarray:
    """Compute the mean spin of each configuration.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.

    Returns
    -------
    numpy.ndarray, (count,) float64
        The means.
    """
    return spins.mean(tuple(range(1, spins.ndim)), dtype=np.float64)


def waves(shape: tuple[int, ...]) -> list[Wave]:
    """List the wave vectors with entries 0 or pi that fit a lattice: pi needs an even length.

    Parameters
    ----------
    shape : tuple of int, (d,)
        Sides of the lattice.

    Returns
    -------
    list of tuple of int
        In units of pi.
    """
    return list(itertools.product(*[(0, 1) if size % 2 == 0 else (0,) for size in shape]))


def phase_name(wave: Wave) -> str:
    """Name the phase of a wave vector.

    Parameters
    ----------
    wave : tuple of int, (d,)
        0 or 1 along each axis.

    Returns
    -------
    str
        uniform, checkerboard (pi along every axis) or stripes (pi along some: the spins alternate along those).
    """
    if not any(wave):
        return "uniform"
    if all(wave):
        return "checkerboard"
    return "stripes_" + "".join("xyzuvw"[axis] for axis, step in enumerate(wave) if step)


def pattern(wave: Wave, shape: tuple[int, ...]) -> np.ndarray:
    """Make the order of a wave vector, (-1)^(wave·r).

    Parameters
    ----------
    wave : tuple of int, (d,)
        0 or 1 along each axis.
    shape : tuple of int, (d,)
        Sides of the lattice.

    Returns
    -------
    numpy.ndarray, (L1, ..., Ld) int8
        ±1.
    """
    phase = sum(
        step * np.arange(size).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        for axis, (step, size) in enumerate(zip(wave, shape, strict=True))
    )
    return np.broadcast_to(1 - 2 * (phase % 2), shape).astype(np.int8)


def order_parameter(spins: np.ndarray, wave: Wave) -> np.ndarray:
    """Compute the mean of the spins against the pattern of a wave vector; all zeros give the magnetization.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    wave : tuple of int, (d,)
        0 or 1 along each axis.

    Returns
    -------
    numpy.ndarray, (count,) float64
        Signed.
    """
    return magnetization(spins * pattern(wave, spins.shape[1:]))


def orders(spins: np.ndarray) -> np.ndarray:
    """Compute the order parameter of each of the ``waves``.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.

    Returns
    -------
    numpy.ndarray, (count, waves) float64
        Signed.
    """
    return np.stack([order_parameter(spins, wave) for wave in waves(spins.shape[1:])], 1)


def domain_walls(spins: np.ndarray) -> np.ndarray:
    """Compute the share of nearest-neighbor bonds between unlike spins.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        Spins or labels.

    Returns
    -------
    numpy.ndarray, (count,) float64
        Shares.
    """
    dimension, axes = spins.ndim - 1, tuple(range(1, spins.ndim))
    unlike = np.zeros(len(spins))
    for axis in range(dimension):
        unlike += (spins != shift(spins, tuple(int(a == axis) for a in range(dimension)))).mean(axes)
    return unlike / dimension
