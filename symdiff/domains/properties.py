"""A number that belongs to a molecule: how it is standardized, and what it tells of the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError


@dataclass(frozen=True)
class Property:
    """``mean`` and ``spread`` over the training data, in ``unit``; ``sizes``: the mean among molecules of 0, 1, 2, ...
    atoms (that of all where there are none), and ``within`` the spread about it.
    """

    unit: str
    mean: float
    spread: float
    within: float
    sizes: Sequence[float]

    @classmethod
    def of(cls, values: np.ndarray, num_nodes: np.ndarray, unit: str) -> Property:
        """Of ``values`` (M,) of molecules with ``num_nodes`` (M,) atoms. Raises UserError where they do not vary."""
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
        """Of the entries of ``plain``. Raises UserError."""
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
        """In spreads from the mean, float32."""
        return ((np.asarray(values, np.float64) - self.mean) / self.spread).astype(np.float32)

    def likely(self, histogram: Sequence[float], standard: float) -> list[float]:
        """p(size | value) for p(size) = ``histogram``, where values of one size are normal about their mean with
        the spread ``within``."""
        shares = np.asarray(histogram, np.float64)
        means = np.full(len(shares), self.mean)
        means[: len(self.sizes)] = self.sizes[: len(shares)]
        exponent = -0.5 * ((self.mean + self.spread * standard - means) / self.within) ** 2
        weights = shares * np.exp(exponent - exponent[shares > 0].max())
        return (weights / weights.sum()).tolist()
