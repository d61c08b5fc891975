"""The two-point function, its Fourier transform, and two correlation lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from symdiff.spins.autocorrelation import integrated_time
from symdiff_evaluation.core.estimate import Estimate, nothing
from symdiff_evaluation.spins.observables import Wave
from symdiff_evaluation.spins.series import estimate_function

_BATCH = 1 << 22  # spins transformed at once
_GROUPS = 20
LONGEST = 2.0  # times the longest side: whatever is longer, a lattice cannot tell from endless order


def two_point(spins: np.ndarray, axis: int) -> np.ndarray:
    """Compute the mean over sites r of s(r) s(r + t e_axis) for t = 0 .. L/2.

    Not connected: the square of the mean is not subtracted.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    axis : int
        The axis of the lattice, from 0.

    Returns
    -------
    numpy.ndarray, (count, L // 2 + 1)
        One row a configuration.
    """
    size, rows = spins.shape[axis + 1], []
    for part in _batches(spins):
        power = np.abs(np.fft.rfft(part, axis=axis + 1)) ** 2
        rows.append(power.mean(tuple(a for a in range(1, spins.ndim) if a != axis + 1)))
    line = np.fft.irfft(np.concatenate(rows), size, axis=1) / size
    return line[:, : size // 2 + 1]


def structure_factor(spins: np.ndarray) -> np.ndarray:
    """Compute S(k) = <|sum over r of s(r) exp(-i k r)|^2> / N at k = 2 pi n / L, averaged over configurations.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.

    Returns
    -------
    numpy.ndarray, (L1, ..., Ld)
        S(k).
    """
    axes = tuple(range(1, spins.ndim))
    total = np.zeros(spins.shape[1:])
    for part in _batches(spins):
        total += (np.abs(np.fft.fftn(part, axes=axes)) ** 2).sum(0)
    return total / (len(spins) * math.prod(spins.shape[1:]))


def powers_near(spins: np.ndarray, wave: Wave) -> np.ndarray:
    """Compute |S(Q)|^2 / N at Q = pi wave, then at Q + 2 pi/L along each axis.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    wave : tuple of int, (d,)
        0 or 1 along each axis.

    Returns
    -------
    numpy.ndarray, (count, 1 + d)
        One row a configuration.
    """
    return np.stack([powers_at(spins, place) for place in near(wave, spins.shape[1:])], 1)


def powers_at(spins: np.ndarray, place: Sequence[int]) -> np.ndarray:
    """Compute |S(k)|^2 / N at the wave vector k = 2 pi place / L.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    place : sequence of int, (d,)
        Its place in the Fourier transform.

    Returns
    -------
    numpy.ndarray, (count,)
        One number a configuration.
    """
    shape = spins.shape[1:]
    phase = np.zeros(shape)
    for axis, (k, size) in enumerate(zip(place, shape, strict=True)):
        phase += 2 * math.pi * k / size * np.indices(shape)[axis]
    flat = [part.reshape(len(part), phase.size) for part in _batches(spins)]
    return (
        np.concatenate([(one @ np.cos(phase).ravel()) ** 2 + (one @ np.sin(phase).ravel()) ** 2 for one in flat])
        / phase.size
    )


def near(wave: Wave, shape: Sequence[int]) -> list[tuple[int, ...]]:
    """List the places in a Fourier transform of pi wave, then of one step from it along each axis.

    Parameters
    ----------
    wave : tuple of int, (d,)
        0 or 1 along each axis.
    shape : sequence of int, (d,)
        Sides of the lattice.

    Returns
    -------
    list of tuple of int
        1 + d places.
    """
    middle = [step * size // 2 for step, size in zip(wave, shape, strict=True)]
    steps = [tuple(int(a == axis) for a in range(len(shape))) for axis in (None, *range(len(shape)))]
    return [tuple((m + one) % size for m, one, size in zip(middle, step, shape, strict=True)) for step in steps]


def second_moment_length(spins: np.ndarray, wave: Wave, chain: np.ndarray | None = None) -> Estimate:
    """Estimate the second-moment correlation length xi = sqrt(S(Q)/S(Q + dk) - 1) / (2 sin(pi/L)), the mean of that
    over the axes.

    Q is the wave vector of the order. The length is that of the whole two-point function, so beyond a transition it
    grows with L.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    wave : tuple of int, (d,)
        Q / pi.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        In lattice units; no value where S has no peak at Q, nor beyond ``LONGEST`` sides.

    References
    ----------
    Cooper, Freedman, Preston, Solving φ⁴ (1,2) field theory with Monte Carlo, Nucl. Phys. B 210 (1982).
    """
    return moment_length(powers_near(spins, wave), spins.shape[1:], chain)


def moment_length(powers: np.ndarray, shape: Sequence[int], chain: np.ndarray | None = None) -> Estimate:
    """Estimate the second-moment correlation length from Fourier components.

    Parameters
    ----------
    powers : numpy.ndarray, (count, 1 + d)
        What ``powers_near`` gave.
    shape : sequence of int, (d,)
        Sides of the lattice, no value below 3.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        As ``second_moment_length``.
    """
    sizes = np.array(shape)
    if min(sizes) < 3:
        return nothing(len(powers))
    scale = 1 / (2 * np.sin(math.pi / sizes))

    def length(means: np.ndarray) -> float:
        ratio = means[0] / np.maximum(means[1:], 1e-300) - 1
        return float((scale * np.sqrt(ratio)).mean()) if (ratio >= 0).all() else math.nan

    return _within(estimate_function(length, powers, chain, low=0.0), shape)


def exponential_length(spins: np.ndarray, wave: Wave, chain: np.ndarray | None = None) -> Estimate:
    """Estimate xi of the fit A (exp(-t/xi) + exp((t - L)/xi)) to the two-point function along the axes.

    The function is multiplied by the pattern of ``wave``; t = 1 .. L/2; weights are the inverse variances; the interval
    is that of twenty groups of successive samples, each left out once.

    Parameters
    ----------
    spins : numpy.ndarray, (count, L1, ..., Ld)
        The spins.
    wave : tuple of int, (d,)
        The wave vector of the order, over pi.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        In lattice units; no value for sides below 4, fewer than 40 samples, or where the fit leaves the range from 0.05
        to ``LONGEST`` sides (a plateau: long-range order).
    """
    shape = spins.shape[1:]
    return line_length([two_point(spins, axis) for axis in range(len(shape))], shape, wave, chain)


def line_length(
    functions: Sequence[np.ndarray], shape: Sequence[int], wave: Wave, chain: np.ndarray | None = None
) -> Estimate:
    """Estimate the exponential correlation length from two-point functions.

    Parameters
    ----------
    functions : sequence of numpy.ndarray, (count, L // 2 + 1)
        What ``two_point`` gave along each axis.
    shape : sequence of int, (d,)
        Sides of the lattice.
    wave : tuple of int, (d,)
        The wave vector of the order, over pi.
    chain : numpy.ndarray, (count,), optional
        Number of the Markov chain of each configuration; None: independent.

    Returns
    -------
    Estimate
        As ``exponential_length``.
    """
    count = len(functions[0])
    if min(shape) < 4 or count < 2 * _GROUPS:
        return nothing(count)
    lines = []
    for axis, size in enumerate(shape):
        sign = np.where(np.arange(size // 2 + 1) % 2, -1.0, 1.0) if wave[axis] else 1.0
        lines.append((functions[axis] * sign, size))
    weights = [1 / np.maximum(line.var(0), 1e-12) for line, _ in lines]
    group = np.arange(count) * _GROUPS // count
    groupings = [np.ones(count, bool), *(group != g for g in range(_GROUPS))]
    fits = [_fit([(line[keep].mean(0), size) for line, size in lines], weights) for keep in groupings]
    lengths = [fit for fit in fits if fit is not None]
    if len(lengths) < len(fits):
        return nothing(count)
    value, left_out = lengths[0], np.array(lengths[1:])
    spread = float(((left_out - left_out.mean()) ** 2).sum()) * (_GROUPS - 1) / _GROUPS
    # groups shorter than a few integrated times are not independent: the magnetization's time says so
    slow = max(2 * integrated_time(lines[0][0][:, -1], chain)[0] * _GROUPS / count, 1.0)
    half = 2.093 * math.sqrt(spread * slow)  # Student's t with 19 degrees of freedom
    return _within(Estimate(value, max(value - half, 0.0), value + half, count), shape)


def _within(length: Estimate, shape: Sequence[int]) -> Estimate:
    """A length that a lattice of these sides can tell; else all samples are undecided."""
    if length.value is not None and length.value > LONGEST * max(shape):
        return nothing(length.count + length.undecided)
    return length


def _fit(lines: list[tuple[np.ndarray, int]], weights: list[np.ndarray]) -> float | None:
    largest = max(size for _, size in lines)

    def misfit(log_length: float) -> float:
        total = 0.0
        for (line, size), weight in zip(lines, weights, strict=True):
            t = np.arange(1, len(line))
            shape = np.exp(-t / math.exp(log_length)) + np.exp((t - size) / math.exp(log_length))
            amplitude = (weight[1:] * shape * line[1:]).sum() / (weight[1:] * shape * shape).sum()
            total += float((weight[1:] * (line[1:] - amplitude * shape) ** 2).sum())
        return total

    bounds = (math.log(0.05), math.log(20 * largest))
    # a coarse grid first: the misfit has flat ends
    grid = np.linspace(*bounds, 41)
    best = int(np.argmin([misfit(point) for point in grid]))
    if best in (0, len(grid) - 1):
        return None
    fit = minimize_scalar(misfit, bounds=(grid[best - 1], grid[best + 1]), method="bounded", options={"xatol": 1e-9})
    return math.exp(fit.x)


def _batches(spins: np.ndarray):
    step = max(_BATCH // math.prod(spins.shape[1:]), 1)
    for start in range(0, max(len(spins), 1), step):
        yield spins[start : start + step].astype(np.float64)
