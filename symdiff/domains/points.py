"""Points in 3D: what is given of them, and what is to be predicted."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.config.ranges import Nodes
from symdiff.domains.base import Domain
from symdiff.domains.points_codec import POSITION, PointCodec
from symdiff.domains.points_options import PointOptions
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import DirectProduct
from symdiff.state import (
    Categorical,
    Real,
    Schema,
    schema_from_plain,
    schema_to_plain,
)


class PointCloud(Domain):
    """Points with positions and other fields, some ``given`` and some ``predicted`` from them.

    Objects are mappings of the fields' names to arrays: (n, ...) for points, (...) for graph-level fields, and for
    labels of pairs (E,) beside ``edges`` (E, 2). A ``pose`` that an object does not have is the identity. The group is
    S_n x O(3), or S_n x SO(3) for ``chiral`` clouds.

    Parameters
    ----------
    given : mapping
        Fields by their names; ``position``, one vector of 3 components a point, is among them, and is moved to mean
        zero.
    predicted : mapping
        Fields by their names, at least one, none of them given.
    chiral : bool
        Whether mirror images are different structures.
    max_nodes : int
        Points of the largest cloud that is read.

    Raises
    ------
    UserError
        For other fields.
    """

    def __init__(self, given: Mapping, predicted: Mapping, chiral: bool = False, max_nodes: Nodes = 4096) -> None:
        self._given, self._predicted = schema_from_plain(given), schema_from_plain(predicted)
        self.chiral, self.max_nodes = bool(chiral), int(max_nodes)
        if self._given.get(POSITION) != Real("node", 1, vector=3):
            raise UserError(
                f"given: expected a field 'position' of one vector a point, got {self._given.get(POSITION)}"
            )
        if set(self._given) & set(self._predicted) or not self._predicted:
            raise UserError(
                f"expected fields that are predicted, and none that is given, too, got {list(self._predicted)}"
            )
        for name, field in self.schema.items():
            if not isinstance(field, Categorical | Real) or (field.axes == "pair" and not field.symmetric):
                raise UserError(
                    f"field {name!r}: expected labels or reals of points or the whole, or undirected labels of pairs, "
                    f"got {field}"
                )

    @property
    def schema(self) -> Schema:
        """What is given, then what is predicted."""
        return {**self._given, **self._predicted}

    @property
    def conditions(self) -> tuple[str, ...]:
        """The given fields."""
        return tuple(self._given)

    @property
    def group(self) -> DirectProduct:
        """Permutations of the points times rotations, and reflections unless clouds are ``chiral``."""
        return DirectProduct([Symmetric(), Orthogonal(3, special=self.chiral)])

    @property
    def spec(self) -> dict:
        """The settings."""
        fields = {"given": schema_to_plain(self._given), "predicted": schema_to_plain(self._predicted)}
        return {"kind": "PointCloud", **fields, "chiral": self.chiral, "max_nodes": self.max_nodes}

    @property
    def given(self) -> Schema:
        """The fields that are given."""
        return self._given

    @property
    def options(self) -> PointOptions:
        """A file of the given fields."""
        return PointOptions(self)

    @property
    def codec(self) -> PointCodec:
        """Mappings of field names to arrays."""
        return PointCodec(self)
