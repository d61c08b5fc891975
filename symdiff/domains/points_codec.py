"""Point clouds: mappings of field names to arrays, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from symdiff.domains.arrays import Arrays
from symdiff.domains.codec import Codec
from symdiff.errors import UserError
from symdiff.state import Categorical, Field, Real, Schema, State

if TYPE_CHECKING:
    from symdiff.domains.points import PointCloud

POSITION, POSE = "position", "pose"
AXES = Real("whole", 3, vector=3)
"""The type of ``pose``.

Where the axes have been turned to in which the coordinates were recorded, the unit vectors at first.
"""


class PointCodec(Codec):
    """Point clouds as mappings of field names to arrays.

    Parameters
    ----------
    domain : PointCloud
        Which fields there are.
    """

    def __init__(self, domain: PointCloud) -> None:
        self.domain = domain

    def encode(self, obj: Mapping) -> Arrays:
        """Take the fields of a mapping, and move the positions to mean zero.

        Raises
        ------
        UserError
            For fields that are missing, not finite, or of another shape.
        """
        return self.record(obj, self.domain.schema)

    def decode(self, state: State) -> list[dict[str, np.ndarray]]:
        """Make mappings as ``encode`` takes them, of the fields that the state has."""
        objects = []
        for row, size in enumerate(state.num_nodes.tolist()):
            obj = {}
            for name, field in state.schema.items():
                value = state[name][row].cpu().numpy()
                if field.axes == "pair":
                    i, j = np.nonzero(np.triu(value[:size, :size], 1))
                    obj["edges"], obj[name] = np.stack([i, j], 1).astype(np.int16), value[i, j]
                else:
                    obj[name] = value[:size] if field.axes == "node" else value
            objects.append(obj)
        return objects

    def to_pyg(self, state: State) -> list:
        """Convert to ``pos`` (n, 3), and the other fields of points and at graph level by their names."""
        from torch_geometric.data import Data

        clouds = []
        for arrays in self.to_numpy(state):
            fields = {
                name: torch.from_numpy(arrays[name]) if field.axes == "node" else torch.from_numpy(arrays[name][None])
                for name, field in state.schema.items()
                if field.axes != "pair" and name != POSITION
            }
            clouds.append(Data(pos=torch.from_numpy(arrays[POSITION][:, 0]), **fields))
        return clouds

    def read(self, path: str | Path) -> list[dict[str, np.ndarray]]:
        """Read mappings from a .npz file as ``write`` writes it.

        Raises
        ------
        UserError
            For a file that cannot be read or does not fit the schema.
        """
        from symdiff.domains.points_files import read

        return self.check(read(path, self.domain.schema), self.domain.schema, path)

    def write(self, objs: Iterable[Mapping], path: str | Path) -> None:
        """Write mappings to a .npz file: ``num_nodes`` (M,) and every field, one object behind the other.

        Raises
        ------
        UserError
            For an object that does not fit the schema, and where the file cannot be written.
        """
        from symdiff.domains.points_files import write

        write(objs, path, self.domain.schema)

    def check(self, objs: list[dict], schema: Schema, path: str | Path) -> list[dict]:
        """Check that the objects of a file fit a schema.

        Parameters
        ----------
        objs : list of dict
            Mappings of field names to arrays.
        schema : Schema
            The fields that each must have.
        path : str or Path
            The file, which the message of an error names.

        Returns
        -------
        list of dict
            ``objs``.

        Raises
        ------
        UserError
            For the first object that does not fit.
        """
        for place, obj in enumerate(objs, 1):
            try:
                self.record(obj, schema)
            except UserError as error:
                raise UserError(f"{path}: cloud {place}: {error}") from error
        return objs

    def record(self, obj: Mapping, schema: Schema) -> Arrays:
        """Make the record of some fields of an object, positions at mean zero.

        Parameters
        ----------
        obj : mapping
            Arrays by field names, as the class docstring of ``PointCloud`` says.
        schema : Schema
            The fields, ``position`` among them.

        Returns
        -------
        Arrays
            The values of these fields and ``edges``.

        Raises
        ------
        UserError
            For a field that is missing, of another shape, or not finite.
        """
        if not isinstance(obj, Mapping) or POSITION not in obj:
            raise UserError(
                "expected a mapping with the key 'position', got "
                f"{sorted(obj) if isinstance(obj, Mapping) else type(obj).__name__}"
            )
        points = len(np.atleast_1d(obj[POSITION]))
        if not 1 <= points <= self.domain.max_nodes:
            raise UserError(f"expected 1 to {self.domain.max_nodes} points, got {points}")
        edges = np.asarray(obj.get("edges", np.zeros((0, 2), np.int16)))
        record: Arrays = {"edges": _edges(edges, points)}
        for name, field in schema.items():
            value = np.eye(3) if name == POSE and field == AXES and name not in obj else obj.get(name)
            if value is None:
                raise UserError(f"the field {name!r} is missing")
            lead = {"node": (points,), "pair": (len(edges),), "whole": ()}[field.axes]
            record[name] = _value(name, field, np.asarray(value), (*lead, *field.trailing))
        record[POSITION] = (record[POSITION] - record[POSITION].mean(0)).astype(np.float32)
        return record


def _value(name: str, field: Field, value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if value.shape != shape:
        raise UserError(f"{name}: expected shape {shape}, got {value.shape}")
    if isinstance(field, Real):
        if value.dtype.kind not in "iuf" or not np.isfinite(value).all():
            raise UserError(
                f"{name}: expected finite numbers, got {'NaN or infinite' if value.dtype.kind == 'f' else value.dtype}"
            )
        return value.astype(np.float64)
    assert isinstance(field, Categorical)  # the domain has no others
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
