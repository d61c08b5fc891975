"""A domain: what a structure is (schema), how it moves (group), and how it comes and goes (codec)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from symdiff.errors import UserError, nearest
from symdiff.groups.base import Group
from symdiff.state import Schema, State

Record = dict[str, np.ndarray]
"""One structure as arrays: node fields (n, ...), ``edges`` (E, 2) with i < j, one value per edge and pair field (E,)."""


class Domain(ABC):
    """Schema, group and codec of one kind of structure.

    Fields on pairs are undirected labels where 0 says that there is no edge; a record lists only the pairs with an edge.
    """

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The fields of a structure."""

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
        """One object for every structure of a batch; never fails on a well-formed State."""

    @abstractmethod
    def read(self, path: str | Path) -> list:
        """The objects of a file, by its ending. Raises UserError for a file that cannot be read."""

    @abstractmethod
    def write(self, objs: Sequence, path: str | Path) -> None:
        """Write objects to a file, by its ending; the file appears whole or not at all."""

    def collate(self, records: Sequence[Record], nodes: int | None = None) -> State:
        """Records -> a padded batch."""
        from symdiff.data.arrays import pack, unpad

        return unpad(pack(records, self.schema), self.schema, np.arange(len(records)), nodes)


def domain_from_spec(spec: Mapping) -> Domain:
    """Build the domain that ``spec`` names. Raises UserError for an unknown kind or argument."""
    from symdiff.domains.graph import Graph
    from symdiff.domains.molecule import MolecularGraph

    kinds = {kind.__name__: kind for kind in (Graph, MolecularGraph)}
    settings = dict(spec)
    kind = settings.pop("kind", None)
    if kind not in kinds:
        raise UserError(f"domain: no kind {kind!r}{nearest(kind, kinds)}")
    try:
        return kinds[kind](**settings)
    except TypeError as error:
        raise UserError(f"domain {kind}: {error}") from error


def ending(path: str | Path, valid: Sequence[str]) -> str:
    """The ending of a file among ``valid`` (such as ``.csv``); a trailing ``.gz`` is kept. Raises UserError."""
    name = Path(path).name.lower()
    for suffix in sorted(valid, key=len, reverse=True):
        if name.endswith(suffix):
            return suffix
    raise UserError(f"{path}: expected a file that ends in {', '.join(valid)}")
