"""What the command line says of properties: each is an option, of a value, a range or a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from symdiff.domains.options import Options
from symdiff.domains.property_set import Properties
from symdiff.domains.wishes import Wish
from symdiff.errors import UserError
from symdiff.random import Streams, uniform
from symdiff.state import State

WIDTH = 0.1
"""How near to a value the structures of the table count as like it, in standard deviations."""


class PropertyOptions(Options):
    """Those of a domain whose structures have properties.

    A range stands for the distribution of the training data within it: the values of several properties are drawn
    together, as one training structure has them, from a table that is kept with the model. A property with one value
    has this value in every sample; the others are then drawn from structures whose value is near to it, each weighed
    by a normal density of the standard deviation ``WIDTH``.

    Parameters
    ----------
    properties : Properties
        The properties that are conditions.
    """

    def __init__(self, properties: Properties) -> None:
        self.properties = properties

    @property
    def help(self) -> dict[str, str]:
        """A line for each property."""
        lines = {}
        for name, one in self.properties.items():
            unit = f" in {one.unit}" if one.unit else ""
            seen = f"; training data have {one.seen}" if one.seen else ""
            how = "a value, a range (2-3) or a bound ('>2'), within which values are drawn as in the training data"
            lines[name] = f"the {name} of the structures{unit}: {how}; not given, any{seen}"
        return lines

    def notes(self, words: Mapping[str, str]) -> list[str]:
        """Tell of values that no training data had.

        Parameters
        ----------
        words : mapping of str to str
            What was written behind each option, by name.
        """
        lines = []
        for name, wish in self._read(words).items():
            one = self.properties[name]
            if wish.exact and one.least is not None and one.most is not None and not one.least <= wish.low <= one.most:
                lines.append(f"--{name}: {wish.low:g} is outside of the training data, which have {one.seen}")
        return lines

    def read_condition(self, words: Mapping[str, str], streams: Streams | None = None) -> State | None:
        """The properties that are named; the others are absent.

        Raises
        ------
        UserError
            For what is no number, range or bound, and for ranges in which there are no training data.
        """
        if not self.properties:
            return None
        wishes = self._read(words)
        ranges = [name for name, wish in wishes.items() if not wish.exact]
        count = 1 if not ranges or streams is None else len(streams)
        numbers = {name: np.full(count, wish.low) for name, wish in wishes.items() if wish.exact}
        if ranges:
            if streams is None:
                raise ValueError("expected random numbers, from which values within a range are drawn")
            rows = self._draw(wishes, ranges, streams)
            numbers |= {name: self._table(name)[rows] for name in ranges}
        absent = np.full(count, np.nan)
        arrays = self.properties.columns({name: numbers.get(name, absent) for name in self.properties})
        values = {name: torch.from_numpy(array) for name, array in arrays.items()}
        values = {name: value.long() if value.dtype == torch.uint8 else value for name, value in values.items()}
        return State(torch.zeros(count, 0, dtype=torch.bool), self.properties.schema, values)

    def _read(self, words: Mapping[str, str]) -> dict[str, Wish]:
        wishes = {}
        for name, one in self.properties.items():
            if name in words:
                try:
                    wishes[name] = Wish.read(words[name], one.unit)
                except UserError as error:
                    raise UserError(f"--{name}: {error}") from None
        return wishes

    def _table(self, name: str) -> np.ndarray:
        """The values of the table, nan where there is none."""
        return np.array([np.nan if value is None else value for value in self.properties[name].table], np.float64)

    def _draw(self, wishes: Mapping[str, Wish], ranges: Sequence[str], streams: Streams) -> np.ndarray:
        """Rows of the table, one for every structure."""
        if any(not len(self.properties[name].table) for name in wishes):
            raise UserError(f"--{ranges[0]}: this model keeps no table of its training data, which a range needs")
        weights = np.ones(len(self.properties[ranges[0]].table))
        for name in ranges:
            weights *= wishes[name].holds(self._table(name))
        what = " and ".join(f"--{name}" for name in ranges)
        if not weights.any():
            seen = "; ".join(f"{name} {self.properties[name].seen}" for name in ranges)
            together = " together" if len(ranges) > 1 else ""
            raise UserError(f"{what}: no training data lie there{together}; they have {seen}")
        distance = np.zeros(len(weights))
        for name, wish in wishes.items():
            if wish.exact:
                distance += ((self._table(name) - wish.low) / (WIDTH * self.properties[name].spread)) ** 2
        weights *= ~np.isnan(distance)
        if not weights.any():
            raise UserError(f"{what}: no training data lie there that have all properties asked for")
        distance -= distance[weights > 0].min()
        weights *= np.exp(-0.5 * np.nan_to_num(distance))
        heap = weights.cumsum()
        draw = uniform((len(streams), 1), streams, torch.zeros(1, dtype=torch.float64))[:, 0].numpy() * heap[-1]
        return np.searchsorted(heap, draw).clip(max=len(heap) - 1)
