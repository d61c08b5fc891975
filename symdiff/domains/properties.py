"""A number that belongs to a structure: how it is standardized, and what it tells of the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError

TABLE = 1000
"""Training structures whose values are kept."""


@dataclass(frozen=True)
class Property:
    """A number that belongs to every structure of a data set, and what it says of their sizes.

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
    table: Sequence[float | None] = ()
    """The values of some training structures, None where one has none; the same structures for every property."""
    nodes: Sequence[int] = ()
    """The sizes of these structures."""
    least: float | None = None
    """The least value in the training data."""
    most: float | None = None
    """The greatest value in the training data."""

    @classmethod
    def of(cls, values: np.ndarray, num_nodes: np.ndarray, unit: str) -> Property:
        """Measure ``values`` (M,) of structures with ``num_nodes`` (M,) nodes; nan where a structure has none.

        Parameters
        ----------
        values : numpy.ndarray
            (M,), nan where a structure has none.
        num_nodes : numpy.ndarray
            (M,), the sizes of the same structures.
        unit : str
            Of the values, empty for none.

        Raises
        ------
        UserError
            Where there are none, one of them is infinite, or all of them are equal.
        """
        values, num_nodes = np.asarray(values, np.float64), np.asarray(num_nodes)
        there = ~np.isnan(values)
        rows = np.unique(np.linspace(0, max(len(values) - 1, 0), TABLE).astype(np.int64))
        known, sized = values[there], num_nodes[there]
        if len(values) and not len(known):
            raise UserError("property: no training structure has a value")
        if not len(known) or not np.isfinite(known).all() or not known.std() > 0:
            raise UserError("property: expected finite numbers that are not all the same")
        count = np.bincount(sized)
        sizes = np.where(count > 0, np.bincount(sized, known) / np.maximum(count, 1), known.mean())
        within = (known - sizes[sized]).std()
        numbers = (known.mean(), known.std(), max(within, 1e-3 * known.std()), known.min(), known.max())
        mean, spread, within, least, most = (float(f"{value:.7g}") for value in numbers)
        table = [float(f"{values[row]:.7g}") if there[row] else None for row in rows]
        nodes = [int(num_nodes[row]) for row in rows]
        return cls(unit, mean, spread, within, [float(f"{value:.7g}") for value in sizes], table, nodes, least, most)

    @classmethod
    def read(cls, name: str, plain: Mapping) -> Property:
        """Read the property ``name`` from plain values, one for each parameter.

        Parameters
        ----------
        name : str
            What messages call it.
        plain : mapping
            Numbers, text and lists by the names of the parameters.

        Raises
        ------
        UserError
            Where one is missing, is no finite number, or a standard deviation is not above 0.
        """
        try:
            mean, spread, within = (float(plain[key]) for key in ("mean", "spread", "within"))
            sizes = [float(value) for value in plain["sizes"]]
            unit = str(plain["unit"])
            table = [None if value is None else float(value) for value in plain.get("table", ())]
            nodes = [int(value) for value in plain.get("nodes", ())]
            bounds = [plain.get(key) for key in ("least", "most")]
            least, most = (None if bound is None else float(bound) for bound in bounds)
        except (KeyError, TypeError, ValueError):
            raise UserError(f"properties.{name}: expected unit, mean, spread, within and sizes") from None
        if not (np.isfinite([mean, *sizes]).all() and 0 < spread < np.inf and 0 < within < np.inf and sizes):
            raise UserError(f"properties.{name}: expected finite numbers, and a spread of more than 0")
        if len(table) != len(nodes) or not np.isfinite([value for value in table if value is not None]).all():
            raise UserError(f"properties.{name}: expected finite numbers in table, and as many nodes")
        return cls(unit, mean, spread, within, sizes, table, nodes, least, most)

    @property
    def plain(self) -> dict:
        """The parameters as plain values, those that are not known left out."""
        return {name: value for name, value in vars(self).items() if value is not None and value != ()}

    @property
    def seen(self) -> str:
        """The range of the training data in words, or nothing where it is not known."""
        if self.least is None or self.most is None:
            return ""
        return f"{self.least:g} to {self.most:g}{f' {self.unit}' if self.unit else ''}"

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
