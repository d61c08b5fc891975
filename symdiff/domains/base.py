"""A domain: what a structure is (schema), how it moves (group), and how it comes and goes (codec)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from symdiff.config.building import build
from symdiff.domains.arrays import Record, pack, unpad
from symdiff.domains.options import Options
from symdiff.groups.base import Group
from symdiff.state import Schema, State


class Domain(ABC):
    """Schema, group and codec of one kind of structure.

    Fields on pairs are undirected labels where 0 says that there is no edge; a record lists only the pairs with an edge.
    """

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The fields of a structure."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """The fields that are given, not generated."""
        return ()

    @property
    def pads(self) -> bool:
        """Whether structures of several sizes may share a batch, the smaller ones padded."""
        return True

    @property
    @abstractmethod
    def group(self) -> Group:
        """The group under which structures count as the same."""

    @property
    @abstractmethod
    def spec(self) -> dict:
        """``kind`` and the constructor's arguments as plain names and numbers: what ``domain_from_spec`` reads."""

    @abstractmethod
    def encode(self, obj) -> Record:
        """The arrays of one object. Raises UserError, with the reason, for what does not fit the schema."""

    @abstractmethod
    def decode(self, state: State) -> list:
        """One object for every structure of a batch; any labels and any edges decode."""

    @abstractmethod
    def read(self, path: str | Path) -> list:
        """The objects of a file, by its ending. Raises UserError for a file that cannot be read."""

    @abstractmethod
    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write objects, which may be made while they are written, to a file, by its ending; it appears whole or not at all."""

    @property
    def options(self) -> Options:
        """What the domain's models take on the command line."""
        return Options()

    @property
    def log_density(self) -> Callable[[State], Tensor] | None:
        """log of the law of structures given their conditions, up to its norm: a batch -> (B,) float64; None where it is not known."""
        return None

    def check_part(self, part: object, spec: Mapping, where: str) -> None:
        """Raise UserError where a model's part, built of ``spec``, does not fit this domain beyond what schemas tell. ``where`` begins the message."""

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        """p(number of nodes | condition) for one condition of the whole, where ``histogram`` is p(number of nodes)."""
        return list(histogram)

    def label_names(self, field: str) -> list[str]:
        """The names of the labels of a field: their numbers where the domain has no others."""
        return [str(label) for label in range(self.schema[field].classes)]

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw objects into a .png file; False where the domain has no pictures of its own."""
        return False

    def collate(self, records: Sequence[Record], nodes: int | None = None) -> State:
        """Records -> a batch padded to ``nodes`` (default: the largest)."""
        return unpad(pack(records, self.schema), self.schema, np.arange(len(records)), nodes)


def domain_from_spec(spec: Mapping) -> Domain:
    """The domain that a ``spec`` describes. Raises UserError for an unknown kind or setting."""
    return build(Domain, spec, where="domain")
