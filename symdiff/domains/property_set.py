"""The properties that a domain has: fields that are given, each with a marker that says whether it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from symdiff.domains.properties import Property
from symdiff.errors import UserError
from symdiff.guidance import MARKER, marker
from symdiff.state import Real, Schema, State

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Properties(Mapping[str, Property]):
    """Numbers of whole structures as conditions, each standardized and with its marker.

    Parameters
    ----------
    plain : mapping of str to mapping, optional
        By the name of each what ``Property.read`` reads.
    taken : iterable of str
        The names of the other fields of the domain.

    Raises
    ------
    UserError
        For a name that is no word or is taken, and for a property that cannot be read.
    """

    def __init__(self, plain: Mapping[str, Mapping] | None = None, taken: Iterable[str] = ()) -> None:
        self._each = {str(name): Property.read(str(name), one) for name, one in (plain or {}).items()}
        for name in self._each:
            if not NAME.fullmatch(name):
                raise UserError(f"properties: expected a name of letters, digits, - and _, got {name[:80]!r}")
            if name in taken:
                raise UserError(f"properties.{name}: the structures have a field of this name already")

    def __getitem__(self, name: str) -> Property:
        return self._each[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)

    def __len__(self) -> int:
        return len(self._each)

    @property
    def schema(self) -> Schema:
        """Of each the field of its standardized value and that of its marker."""
        return {key: field for name in self for key, field in ((name, Real("whole", 1)), (marker(name), MARKER))}

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of these fields."""
        return tuple(self.schema)

    @property
    def spec(self) -> dict:
        """What the constructor of a domain takes, nothing where there are no properties."""
        return {"properties": {name: one.plain for name, one in self.items()}} if self else {}

    def hidden(self) -> dict[str, np.ndarray]:
        """The fields of one structure none of whose properties is known."""
        record: dict[str, np.ndarray] = {}
        for name in self:
            record.update({name: np.zeros(1, np.float32), marker(name): np.array(1)})
        return record

    def columns(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The fields of M structures as flat arrays, given each property (M,), nan where it is not known.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray
            (M,) for each property, in its unit.

        Returns
        -------
        dict of str to numpy.ndarray
            (M, 1) float32 numbers in standard deviations from the mean, and (M,) uint8 marks of what is not known.
        """
        arrays = {}
        for name, one in self.items():
            absent = np.isnan(values[name])
            arrays[name] = np.where(absent, 0, one.standard(np.where(absent, one.mean, values[name])))[:, None].astype(
                np.float32
            )
            arrays[marker(name)] = absent.astype(np.uint8)
        return arrays

    def read(self, state: State) -> dict[str, np.ndarray]:
        """The properties of a batch in their units, (B,) each, nan where one is not given.

        Parameters
        ----------
        state : State
            A batch with the fields of properties.
        """
        found = {}
        for name, one in self.items():
            if name in state.schema:
                number = one.mean + one.spread * state[name][:, 0].double().cpu().numpy()
                found[name] = np.where(state[marker(name)].cpu().numpy().astype(bool), np.nan, number)
        return found

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        """p(size | the properties of one structure): see ``Property.likely``; they count as independent given it.

        Parameters
        ----------
        histogram : sequence of float
            p(number of nodes) for 0, 1, 2, ... nodes.
        condition : State or None
            One structure's properties.
        """
        shares = list(histogram)
        for name, one in self.items():
            if condition is not None and not bool(condition[marker(name)].any()):
                shares = one.likely(shares, float(condition[name][0, 0]))
        return shares
