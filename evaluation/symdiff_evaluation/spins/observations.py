"""What is worked out of each configuration, once: all that numbers, rows and pages need of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from symdiff_evaluation.spins.bonds import energy, unsatisfied_share
from symdiff_evaluation.spins.correlation import near, two_point
from symdiff_evaluation.spins.observables import domain_walls, magnetization, orders, waves
from symdiff_evaluation.spins.symmetry import ENUMERATED, count_kept, images, space_group, symmetries

if TYPE_CHECKING:
    from symdiff_evaluation.spins.samples import Spins


@dataclass(frozen=True)
class Observations:
    """What is worked out of configurations, one row each in their order.

    Parameters
    ----------
    energy : numpy.ndarray, (count,)
        Energy per site, in J.
    magnetization : numpy.ndarray, (count,)
        Mean spin, or the order parameter of labels.
    walls : numpy.ndarray, (count,)
        Share of nearest-neighbor bonds between unlike spins.
    unsatisfied : numpy.ndarray, (count,)
        Share of unsatisfied bonds; nan without bonds.
    orders : numpy.ndarray, (count, W)
        Signed order parameters at the W wave vectors of ``waves``.
    lines : tuple of numpy.ndarray, (count, L // 2 + 1)
        The two-point function along each axis.
    powers : numpy.ndarray, (count, W, 1 + d)
        |S(Q)|^2 / N at each wave vector Q, then one step from it along each axis.
    stabilizer : numpy.ndarray, (count,)
        Number of elements of the space group times flip that keep the configuration.
    kept : numpy.ndarray, (count,)
        Number of the symmetries of its couplings and field that keep it.
    symmetries : numpy.ndarray, (count,)
        Number of the symmetries of its couplings and field.
    own, least : numpy.ndarray, (count,) uint64
        The configuration, and its smallest image under these symmetries, in bits; zeros beyond 64 sites.
    power : numpy.ndarray, (L1, ..., Ld)
        |S(k)|^2 summed over all configurations.
    """

    energy: np.ndarray
    magnetization: np.ndarray
    walls: np.ndarray
    unsatisfied: np.ndarray
    orders: np.ndarray
    lines: tuple[np.ndarray, ...]
    powers: np.ndarray
    stabilizer: np.ndarray
    kept: np.ndarray
    symmetries: np.ndarray
    own: np.ndarray
    least: np.ndarray
    power: np.ndarray

    def __len__(self) -> int:
        return len(self.energy)

    def select(self, which: np.ndarray) -> Observations:
        """Select configurations; the sum over those of a part is not known, and nan.

        Parameters
        ----------
        which : numpy.ndarray
            Numbers or a mask.

        Returns
        -------
        Observations
            Their rows.
        """
        rows = {one.name: getattr(self, one.name)[which] for one in fields(self) if one.name not in ("lines", "power")}
        return Observations(
            **rows, lines=tuple(line[which] for line in self.lines), power=np.full_like(self.power, np.nan)
        )

    @property
    def structure_factor(self) -> np.ndarray:
        """S(k) averaged over configurations, (L1, ..., Ld): ``correlation.structure_factor``."""
        return self.power / (len(self) * self.power.size)


def observe(spins: Spins) -> Observations:
    """Work out the observations of Ising spins.

    Parameters
    ----------
    spins : Spins
        A set that is small enough to be transformed at once.

    Returns
    -------
    Observations
        One row a configuration.
    """
    s, shape = spins.configurations, spins.shape
    square = np.abs(np.fft.fftn(s.astype(np.float64), axes=tuple(range(1, s.ndim)))) ** 2
    return Observations(
        energy=energy(s, spins.hamiltonian),
        magnetization=magnetization(s),
        walls=domain_walls(s),
        unsatisfied=unsatisfied_share(s, spins.hamiltonian),
        orders=orders(s),
        lines=tuple(two_point(s, axis) for axis in range(len(shape))),
        **measure_powers(square, shape),
        **count_symmetries(spins, lambda group: group, count_kept, images),
    )


def measure_powers(square: np.ndarray, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Select ``powers`` and ``power`` of squared Fourier components.

    Parameters
    ----------
    square : numpy.ndarray, (count, L1, ..., Ld)
        |S(k)|^2 of each configuration.
    shape : tuple of int, (d,)
        Sides of the lattice.

    Returns
    -------
    dict of str to numpy.ndarray
        The two fields of ``Observations``.
    """
    near_waves = np.stack([np.stack([square[:, *place] for place in near(wave, shape)], 1) for wave in waves(shape)], 1)
    return {"powers": near_waves / math.prod(shape), "power": square.sum(0)}


def count_symmetries(spins: Spins, acting: Callable, kept_by: Callable, images: Callable) -> dict[str, np.ndarray]:
    """Count the symmetries of configurations, and find their images.

    Parameters
    ----------
    spins : Spins
        The set.
    acting : callable
        Makes of a ``Subgroup`` what acts on the spins.
    kept_by, images : callable
        ``count_kept`` and ``images`` of ``symmetry`` or ``relabelings``.

    Returns
    -------
    dict of str to numpy.ndarray
        The fields ``stabilizer``, ``kept``, ``symmetries``, ``own`` and ``least`` of ``Observations``.
    """
    s, count = spins.configurations, len(spins)
    whole = acting(space_group(spins.shape, spins.lattice))
    stabilizer, kept, order = (np.zeros(count, np.int64) for _ in range(3))
    own, least = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    for which, part in spins.hamiltonians:
        group = acting(symmetries(part))
        stabilizer[which], kept[which] = kept_by(s[which], (whole, group))
        order[which] = group.order
        if math.prod(spins.shape) <= ENUMERATED:
            least[which], own[which] = images(s[which], group)
    return {"stabilizer": stabilizer, "kept": kept, "symmetries": order, "own": own, "least": least}


def join(parts: Sequence[Observations]) -> Observations:
    """Join several observations. The sum over configurations is that of the parts' sums, in their order.

    Parameters
    ----------
    parts : sequence of Observations
        At least one.

    Returns
    -------
    Observations
        The rows of all.
    """
    if len(parts) == 1:
        return parts[0]
    columns = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])
        for one in fields(Observations)
        if one.name not in ("lines", "power")
    }
    lines = tuple(np.concatenate(some) for some in zip(*(part.lines for part in parts), strict=True))
    return Observations(**columns, lines=lines, power=np.sum([part.power for part in parts], 0))
