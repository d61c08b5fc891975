"""What one configuration is: magnetization, order at the wave vectors of the phases, domain walls."""

from __future__ import annotations

import itertools

import numpy as np

from symdiff_evaluation.spins.bonds import shift

Wave = tuple[int, ...]
"""A wave vector in units of pi: 0 or 1 along each axis."""


def magnetization(spins: np.ndarray) -> np.ndarray:
    """Mean spin of each configuration of (count, L1, ..., Ld): (count,) float64."""
    return spins.mean(tuple(range(1, spins.ndim)), dtype=np.float64)


def waves(shape: tuple[int, ...]) -> list[Wave]:
    """The wave vectors with entries 0 or pi that fit a lattice: pi needs an even length."""
    return list(itertools.product(*[(0, 1) if size % 2 == 0 else (0,) for size in shape]))


def phase_name(wave: Wave) -> str:
    """uniform, checkerboard (pi along every axis) or stripes (pi along some: the spins alternate along those)."""
    if not any(wave):
        return "uniform"
    if all(wave):
        return "checkerboard"
    return "stripes_" + "".join("xyzuvw"[axis] for axis, step in enumerate(wave) if step)


def pattern(wave: Wave, shape: tuple[int, ...]) -> np.ndarray:
    """The order of a wave vector, (-1)^(wave·r): (L1, ..., Ld) int8."""
    phase = sum(
        step * np.arange(size).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        for axis, (step, size) in enumerate(zip(wave, shape, strict=True))
    )
    return np.broadcast_to(1 - 2 * (phase % 2), shape).astype(np.int8)


def order_parameter(spins: np.ndarray, wave: Wave) -> np.ndarray:
    """Mean of the spins against the pattern of ``wave``, signed: (count,) float64. All zeros give the magnetization."""
    return magnetization(spins * pattern(wave, spins.shape[1:]))


def orders(spins: np.ndarray) -> np.ndarray:
    """``order_parameter`` of each of the ``waves``: (count, waves) float64."""
    return np.stack([order_parameter(spins, wave) for wave in waves(spins.shape[1:])], 1)


def domain_walls(spins: np.ndarray) -> np.ndarray:
    """Share of nearest-neighbor bonds between unlike spins: (count,) float64."""
    dimension, axes = spins.ndim - 1, tuple(range(1, spins.ndim))
    unlike = np.zeros(len(spins))
    for axis in range(dimension):
        unlike += (spins != shift(spins, tuple(int(a == axis) for a in range(dimension)))).mean(axes)
    return unlike / dimension
