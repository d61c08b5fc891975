"""Points in space: what is given of them, and what is to be predicted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from symdiff.config.ranges import Nodes
from symdiff.domains.base import Domain, Record
from symdiff.domains.points_options import PointOptions
from symdiff.errors import UserError
from symdiff.groups.orthogonal import Orthogonal
from symdiff.groups.permutations import Symmetric
from symdiff.groups.product import Product
from symdiff.state import (
    Categorical,
    Real,
    Schema,
    State,
    schema_from_plain,
    schema_to_plain,
)

POSITION, POSE = "position", "pose"
AXES = Real("whole", 3, vector=3)
"""The type of ``pose``: where the axes have been turned to in which the coordinates were recorded, the unit vectors at first."""


class PointCloud(Domain):
    """Points with positions and other fields, some ``given`` and some ``predicted`` from them.

    Both are schemas, fields by their names; ``position`` is given, one vector of 3 components a point, and moved to mean zero. Objects are
    mappings of those names to arrays: (n, ...) for points, (...) for the whole, and for labels of pairs (E,) beside ``edges`` (E, 2). A
    ``pose`` that an object does not have is the identity. ``chiral``: whether mirror images are different structures; the
    group is S_n x SO(3) then, else S_n x O(3).
    """

    def __init__(self, given: Mapping, predicted: Mapping, chiral: bool = False, max_nodes: Nodes = 4096) -> None:
        self._given, self._predicted = schema_from_plain(given), schema_from_plain(predicted)
        self.chiral, self.max_nodes = bool(chiral), int(max_nodes)
        if self._given.get(POSITION) != Real("node", 1, vector=3):
            raise UserError(f"given: expected a field 'position' of one vector a point, got {self._given.get(POSITION)}")
        if set(self._given) & set(self._predicted) or not self._predicted:
            raise UserError(f"expected fields that are predicted, and none that is given, too, got {list(self._predicted)}")
        for name, field in self.schema.items():
            if not isinstance(field, Categorical | Real) or (field.axes == "pair" and not field.symmetric):
                raise UserError(f"field {name!r}: expected labels or reals of points or the whole, or undirected labels of pairs, got {field}")

    @property
    def schema(self) -> Schema:
        """What is given, then what is predicted."""
        return {**self._given, **self._predicted}

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(self._given)

    @property
    def group(self) -> Product:
        return Product([Symmetric(), Orthogonal(3, special=self.chiral)])

    @property
    def spec(self) -> dict:
        fields = {"given": schema_to_plain(self._given), "predicted": schema_to_plain(self._predicted)}
        return {"kind": "PointCloud", **fields, "chiral": self.chiral, "max_nodes": self.max_nodes}

    @property
    def given(self) -> Schema:
        """The fields that are given."""
        return self._given

    @property
    def options(self) -> PointOptions:
        return PointOptions(self)

    def encode(self, obj: Mapping) -> Record:
        """The arrays of one object, centered. Raises UserError for fields that are missing, not finite, or of another shape."""
        return self.record(obj, self.schema)

    def decode(self, state: State) -> list[dict[str, np.ndarray]]:
        """Objects as ``encode`` takes them, of the fields that the state has."""
        found = []
        for row, size in enumerate(state.num_nodes.tolist()):
            obj = {}
            for name, field in state.schema.items():
                value = state[name][row].cpu().numpy()
                if field.axes == "pair":
                    i, j = np.nonzero(np.triu(value[:size, :size], 1))
                    obj["edges"], obj[name] = np.stack([i, j], 1).astype(np.int16), value[i, j]
                else:
                    obj[name] = value[:size] if field.axes == "node" else value
            found.append(obj)
        return found

    def read(self, path: str | Path) -> list[dict[str, np.ndarray]]:
        """The objects of a .npz file as ``write`` writes it. Raises UserError."""
        from symdiff.domains.points_files import read

        return self.check(read(path, self.schema), self.schema, path)

    def write(self, objs: Iterable[Mapping], path: str | Path) -> None:
        """Write objects to a .npz file: ``num_nodes`` (M,) and every field, one object behind the other. Raises UserError."""
        from symdiff.domains.points_files import write

        write(objs, path, self.schema)

    def check(self, objs: list[dict], schema: Schema, path: str | Path) -> list[dict]:
        """The objects of a file, which fit the schema. Raises UserError."""
        for place, obj in enumerate(objs, 1):
            try:
                self.record(obj, schema)
            except UserError as error:
                raise UserError(f"{path}: cloud {place}: {error}") from error
        return objs

    def record(self, obj: Mapping, schema: Schema) -> Record:
        """The arrays of one object's fields, centered. Raises UserError."""
        if not isinstance(obj, Mapping) or POSITION not in obj:
            raise UserError(f"expected a mapping with the key 'position', got {sorted(obj) if isinstance(obj, Mapping) else type(obj).__name__}")
        points = len(np.atleast_1d(obj[POSITION]))
        if not 1 <= points <= self.max_nodes:
            raise UserError(f"expected 1 to {self.max_nodes} points, got {points}")
        edges = np.asarray(obj.get("edges", np.zeros((0, 2), np.int16)))
        record: Record = {"edges": _edges(edges, points)}
        for name, field in schema.items():
            value = np.eye(3) if name == POSE and field == AXES and name not in obj else obj.get(name)
            if value is None:
                raise UserError(f"the field {name!r} is missing")
            lead = {"node": (points,), "pair": (len(edges),), "whole": ()}[field.axes]
            record[name] = _value(name, field, np.asarray(value), (*lead, *field.trailing))
        record[POSITION] = (record[POSITION] - record[POSITION].mean(0)).astype(np.float32)
        return record


def _value(name: str, field: Categorical | Real, value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if value.shape != shape:
        raise UserError(f"{name}: expected shape {shape}, got {value.shape}")
    if isinstance(field, Real):
        if value.dtype.kind not in "iuf" or not np.isfinite(value).all():
            raise UserError(f"{name}: expected finite numbers, got {'NaN or infinite' if value.dtype.kind == 'f' else value.dtype}")
        return value.astype(np.float64)
    low = int(field.axes == "pair")  # 0 says that there is no edge
    if value.dtype.kind not in "iu" or (value.size and (value.min() < low or value.max() >= field.classes)):
        raise UserError(f"{name}: expected labels {low} to {field.classes - 1}")
    return value.astype(np.int64)


def _edges(edges: np.ndarray, points: int) -> np.ndarray:
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise UserError(f"edges: expected integers of shape (E, 2), got {edges.dtype} {edges.shape}")
    if len(edges) and not ((edges[:, 0] >= 0) & (edges[:, 0] < edges[:, 1]) & (edges[:, 1] < points)).all():
        raise UserError(f"edges: expected 0 <= i < j < {points}")
    return edges.astype(np.int16)
