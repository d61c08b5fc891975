"""A domain.

What a structure is (schema, conditions) and how it moves (group); its codec and its options are nouns of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from symdiff.config.building import build
from symdiff.domains.arrays import Arrays, pack, unpad
from symdiff.domains.codec import Codec
from symdiff.domains.options import Options
from symdiff.domains.property_set import Properties
from symdiff.groups.base import Group
from symdiff.state import Categorical, Logits, Schema, State


class Domain(ABC):
    """Schema, conditions and group of one kind of structure.

    Fields on pairs are undirected labels where 0 says that there is no edge; a record lists only the pairs with an
    edge.
    """

    properties: Properties = Properties()
    """The numbers of whole structures that are given: conditions of a domain that has any."""

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

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """How structures come and go, as objects and in files."""

    @property
    def options(self) -> Options:
        """What the domain's models take on the command line."""
        return Options()

    @property
    def log_density(self) -> Callable[[State], Tensor] | None:
        """Logarithm of the density of structures given their conditions, up to a constant.

        A function of a batch that returns (B,) float64; None where the density is not known.
        """
        return None

    @property
    def recipe(self) -> str | None:
        """The bundled recipe that learns such structures where none is named; None where there is none."""
        return None

    def automatic(self, width: int) -> dict[str, object]:
        """What ``auto`` stands for in a recipe where that follows from the domain, by the key.

        Parameters
        ----------
        width : int
            The channels that the size of the data asks for; a domain whose networks cannot have them says others.

        Returns
        -------
        dict of str to object
            Values of settings, by the words that recipes use for them.
        """
        labels = [name for name, field in self.schema.items() if isinstance(field, Categorical)]
        return {"fields": [name for name in labels if name not in self.conditions], "width": width}

    def check_part(self, part: object, spec: Mapping, where: str) -> None:
        """Check that a model's part fits this domain beyond what schemas tell.

        Parameters
        ----------
        part : object
            The part.
        spec : mapping
            What it was built of.
        where : str
            What begins the message.

        Raises
        ------
        UserError
            Where it does not fit.
        """
        return

    def sizes(self, histogram: Sequence[float], condition: State | None) -> list[float]:
        """p(number of nodes | condition).

        Parameters
        ----------
        histogram : sequence of float
            p(number of nodes) for 0, 1, 2, ... nodes.
        condition : State or None
            One graph-level condition.

        Returns
        -------
        list of float
            As long as ``histogram``.
        """
        return list(histogram)

    def label_names(self, field: str) -> list[str]:
        """The names of the labels of a field: their numbers where the domain has no others.

        Parameters
        ----------
        field : str
            The name of a field of labels.

        Returns
        -------
        list of str
            One name for each label.

        Raises
        ------
        ValueError
            For a field of other values.
        """
        labels = self.schema[field]
        if not isinstance(labels, Categorical | Logits):
            raise ValueError(f"expected a field of labels, got {field!r}: {labels}")
        return [str(label) for label in range(labels.classes)]

    def encode(self, obj) -> Arrays:
        """Turn an object into arrays: ``codec.encode``.

        Parameters
        ----------
        obj : object
            An object of this domain, such as a molecule.

        Returns
        -------
        Arrays
            Its record.

        Raises
        ------
        UserError
            For what does not fit the schema.
        """
        return self.codec.encode(obj)

    def decode(self, state: State) -> list:
        """Turn a batch into objects: ``codec.decode``.

        Parameters
        ----------
        state : State
            B structures.

        Returns
        -------
        list
            One object for each.
        """
        return self.codec.decode(state)

    def read(self, path: str | Path) -> list:
        """Read the objects of a file: ``codec.read``.

        Parameters
        ----------
        path : str or Path
            The file, whose ending tells the format.

        Returns
        -------
        list
            Its objects.

        Raises
        ------
        UserError
            For a file that cannot be read.
        """
        return self.codec.read(path)

    def write(self, objs: Iterable, path: str | Path) -> None:
        """Write objects to a file: ``codec.write``.

        Parameters
        ----------
        objs : iterable
            Objects of this domain.
        path : str or Path
            The file, whose ending chooses the format.

        Raises
        ------
        UserError
            For an object that does not fit, and where the file cannot be written.
        """
        self.codec.write(objs, path)

    def draw(self, objs: Sequence, path: str | Path) -> bool:
        """Draw objects into a picture: ``codec.draw``.

        Parameters
        ----------
        objs : sequence
            Objects of this domain.
        path : str or Path
            A .png file.

        Returns
        -------
        bool
            False where the domain has no pictures of its own.
        """
        return self.codec.draw(objs, path)

    def collate(self, records: Sequence[Arrays], nodes: int | None = None) -> State:
        """Make a batch of records.

        Parameters
        ----------
        records : sequence of Arrays
            Arrays as ``encode`` gives them.
        nodes : int, optional
            Nodes that each is padded to, by default those of the largest.

        Returns
        -------
        State
            One structure for each record.
        """
        return unpad(pack(records, self.schema), self.schema, np.arange(len(records)), nodes)


def domain_from_spec(spec: Mapping) -> Domain:
    """Build the domain that a spec describes.

    Parameters
    ----------
    spec : mapping
        ``kind`` and settings, as ``Domain.spec`` returns them.

    Returns
    -------
    Domain
        The domain.

    Raises
    ------
    UserError
        For an unknown kind or setting.
    """
    return build(Domain, spec, where="domain")
