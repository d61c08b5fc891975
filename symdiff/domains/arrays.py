"""Records <-> flat arrays and offsets <-> padded batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from symdiff.state import Categorical, Field, Schema, State, node_mask

Arrays = dict[str, np.ndarray]
"""One structure as arrays.

Node fields (n, ...), ``edges`` (E, 2) with i < j, one value per edge and pair field (E,).
"""

MAX_NODES = 32767  # node numbers are stored as int16


def pack(records: Sequence[Arrays], schema: Schema) -> dict[str, np.ndarray]:
    """Put M records behind each other in flat arrays.

    Parameters
    ----------
    records : sequence of Arrays
        As a codec's ``encode`` returns them.
    schema : Schema
        The fields that are packed, at least one of them on nodes.

    Returns
    -------
    dict of str to ndarray
        ``num_nodes`` (M,), ``num_edges`` (M,), ``edges`` (sum E, 2), and the values of every field: a row for each
        node, for each edge, or for each record.
    """
    nodes = next(name for name, field in schema.items() if field.axes == "node")
    arrays = {
        "num_nodes": np.array([len(r[nodes]) for r in records], np.int32),
        "num_edges": np.array([len(r["edges"]) for r in records], np.int32),
        "edges": _join([np.asarray(r["edges"]).reshape(-1, 2) for r in records], (0, 2), np.int16),
    }
    for name, field in schema.items():
        empty = (0, *field.trailing) if field.axes != "pair" else (0,)
        rows = [np.asarray(r[name])[None] if field.axes == "whole" else np.asarray(r[name]) for r in records]
        arrays[name] = _join(rows, empty, _dtype(field))
    return arrays


def _join(rows: list[np.ndarray], empty: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.concatenate(rows).astype(dtype) if rows else np.zeros(empty, dtype)


def _dtype(field: Field) -> type:
    if isinstance(field, Categorical):
        return np.uint8 if field.classes <= 256 else np.int32
    return np.float32


def unpack(arrays: Mapping[str, np.ndarray], schema: Schema) -> list[Arrays]:
    """Cut flat arrays into records.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What ``pack`` returned.
    schema : Schema
        The fields.

    Returns
    -------
    list of Arrays
        What ``pack`` was given.
    """
    node_stops, edge_stops = np.cumsum(arrays["num_nodes"])[:-1], np.cumsum(arrays["num_edges"])[:-1]
    columns = {"edges": np.split(arrays["edges"], edge_stops)}
    for name, field in schema.items():
        stops = {"node": node_stops, "pair": edge_stops}.get(field.axes)
        columns[name] = list(arrays[name]) if stops is None else np.split(arrays[name], stops)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


class Columns:
    """Flat arrays as tensors with offsets, from which any batch is gathered without a loop over structures.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As ``pack`` returns them.
    schema : Schema
        The fields.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], schema: Schema) -> None:
        self.schema = schema
        self.arrays = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        self.num_nodes = self.arrays["num_nodes"].long()
        self.num_edges = self.arrays["num_edges"].long()
        self.node_start = self.num_nodes.cumsum(0) - self.num_nodes
        self.edge_start = self.num_edges.cumsum(0) - self.num_edges

    def batch(self, rows: torch.Tensor, nodes: int | None = None) -> State:
        """Gather structures as a padded batch.

        Parameters
        ----------
        rows : Tensor
            (B,) int64, which structures.
        nodes : int, optional
            Nodes that each is padded to, by default those of the largest.

        Returns
        -------
        State
            B structures.

        Raises
        ------
        ValueError
            For fewer nodes than a structure has.
        """
        sizes = self.num_nodes[rows]
        largest = int(sizes.max()) if len(sizes) else 0
        nodes = largest if nodes is None else nodes
        if nodes < largest:
            raise ValueError(f"cannot pad to {nodes} nodes: a structure has {largest}")
        mask = node_mask(sizes, nodes)
        values = {}
        gather_nodes = (self.node_start[rows, None] + torch.arange(nodes)).masked_fill_(~mask, 0)
        owner, edges = self.edges_of(rows)
        i, j = self.arrays["edges"][edges].long().unbind(1)
        for name, field in self.schema.items():
            flat = self.arrays[name]
            if field.axes == "whole":
                value = flat[rows]
            elif field.axes == "node":
                value = flat[gather_nodes] if len(flat) else flat.new_zeros((len(rows), nodes, *field.trailing))
                value = value.masked_fill_(~mask.view(*mask.shape, *[1] * len(field.trailing)), 0)
            else:
                value = flat.new_zeros((len(rows), nodes, nodes))
                labels = flat[edges]
                value[owner, i, j] = labels
                value[owner, j, i] = labels
            values[name] = value.long() if isinstance(field, Categorical) else value
        return State(mask, self.schema, values)

    def edges_of(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Locate the edges of structures in the flat arrays.

        Parameters
        ----------
        rows : Tensor
            (B,) int64, which structures.

        Returns
        -------
        tuple of Tensor
            For every edge of theirs: the place in ``rows`` of the structure that it belongs to, and its row in the flat
            arrays.
        """
        counts = self.num_edges[rows]
        owner = torch.repeat_interleave(torch.arange(len(rows)), counts)
        shift = self.edge_start[rows] - (counts.cumsum(0) - counts)
        return owner, torch.arange(len(owner)) + shift[owner]


def unpad(arrays: Mapping[str, np.ndarray], schema: Schema, rows: np.ndarray, nodes: int | None = None) -> State:
    """Gather a padded batch straight from flat arrays.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As ``pack`` returns them.
    schema : Schema
        The fields.
    rows : ndarray
        (B,), which structures.
    nodes : int, optional
        Nodes that each is padded to, by default those of the largest.

    Returns
    -------
    State
        B structures.
    """
    return Columns(arrays, schema).batch(torch.as_tensor(rows), nodes)
