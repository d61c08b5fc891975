"""A number that belongs to a molecule: how it is standardized, and what it tells of the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError


@dataclass(frozen=True)
class Property:
    """A number that belongs to every molecule of a data set, and what it says of their sizes.

    Parameters
    ----------
    unit : str
        The unit of all of them.
    mean : float
        Over the training data.
    spread : float
        The standard deviation over the training data.
    within : float
        The standard deviation about the mean among molecules of equal size.
    sizes : sequence of float
        The mean among molecules of 0, 1, 2, ... atoms; that of all where there are none.
    """

    unit: str
    mean: float
    spread: float
    within: float
    sizes: Sequence[float]

    @classmethod
    def of(cls, values: np.ndarray, num_nodes: np.ndarray, unit: str) -> Property:
        """Measure a property on a data set.

        Parameters
        ----------
        values : ndarray
            (M,), in ``unit``.
        num_nodes : ndarray
            (M,) int, the atoms of the molecules.
        unit : str
            The unit of the values.

        Returns
        -------
        Property
            Its statistics, rounded to seven digits.

        Raises
        ------
        UserError
            Where there are no values, one of them is not finite, or all are equal.
        """
        values = np.asarray(values, np.float64)
        if not len(values) or not np.isfinite(values).all() or not values.std() > 0:
            raise UserError("property: expected finite numbers that are not all the same")
        count = np.bincount(num_nodes)
        sizes = np.where(count > 0, np.bincount(num_nodes, values) / np.maximum(count, 1), values.mean())
        within = (values - sizes[num_nodes]).std()
        numbers = (values.mean(), values.std(), max(within, 1e-3 * values.std()))
        mean, spread, within = (float(f"{value:.7g}") for value in numbers)
        return cls(unit, mean, spread, within, [float(f"{value:.7g}") for value in sizes])

    @classmethod
    def read(cls, name: str, plain: Mapping) -> Property:
        """Read a property from plain values, one for each parameter.

        Parameters
        ----------
        name : str
            The property, which the message of an error names.
        plain : mapping
            The constructor's arguments.

        Returns
        -------
        Property
            What was read.

        Raises
        ------
        UserError
            Where one is missing, is no finite number, or a standard deviation is not above 0.
        """
        try:
            mean, spread, within = (float(plain[key]) for key in ("mean", "spread", "within"))
            sizes = [float(value) for value in plain["sizes"]]
            unit = str(plain["unit"])
        except (KeyError, TypeError, ValueError):
            raise UserError(f"properties.{name}: expected unit, mean, spread, within and sizes") from None
        if not (np.isfinite([mean, *sizes]).all() and 0 < spread < np.inf and 0 < within < np.inf and sizes):
            raise UserError(f"properties.{name}: expected finite numbers, and a spread of more than 0")
        return cls(unit, mean, spread, within, sizes)

    def standard(self, values: np.ndarray | float) -> np.ndarray:
        """Standardize values: their distance from the mean in standard deviations.

        Parameters
        ----------
        values : ndarray or float
            In ``unit``, any shape.

        Returns
        -------
        ndarray
            float32, like ``values``.
        """
        return ((np.asarray(values, np.float64) - self.mean) / self.spread).astype(np.float32)

    def likely(self, histogram: Sequence[float], standard: float) -> list[float]:
        """p(size | value) for the prior p(size) = ``histogram``.

        Values of molecules of one size are normal about their mean with the standard deviation ``within``.

        Parameters
        ----------
        histogram : sequence of float
            p(size) for 0, 1, 2, ... atoms.
        standard : float
            The standardized value.

        Returns
        -------
        list of float
            p(size | value), as long as ``histogram``.
        """
        shares = np.asarray(histogram, np.float64)
        means = np.full(len(shares), self.mean)
        means[: len(self.sizes)] = self.sizes[: len(shares)]
        exponent = -0.5 * ((self.mean + self.spread * standard - means) / self.within) ** 2
        weights = shares * np.exp(exponent - exponent[shares > 0].max())
        return (weights / weights.sum()).tolist()
