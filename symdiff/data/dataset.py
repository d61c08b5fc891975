"""A validated data set: structures as flat arrays, batched without a loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symdiff.data.folder import read_folder, write_folder
from symdiff.domains.arrays import MAX_NODES, Columns
from symdiff.domains.base import Domain, domain_from_spec
from symdiff.errors import UserError, nearest
from symdiff.state import Categorical, State
from symdiff.storage.boundary import reading

SPLITS = ("train", "valid", "test")


class Dataset:
    """M structures of one domain, or a view of some of them that shares their arrays.

    Parameters
    ----------
    domain : Domain
        What the structures are.
    columns : Columns
        Flat arrays of all structures, with ``split``.
    meta : mapping
        What ``dataset.json`` says: name, source, order of the nodes, report of what was left out.
    rows : Tensor
        (M,) int64, which structures of ``columns`` are in the view.
    path : Path, optional
        The folder, where there is one.
    """

    def __init__(self, domain: Domain, columns: Columns, meta: Mapping, rows: Tensor, path: Path | None = None) -> None:
        self.domain, self.meta, self.path = domain, dict(meta), path
        self.columns, self.rows = columns, rows

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open a data set folder.

        Parameters
        ----------
        path : str or Path
            The folder, as ``save`` writes it.

        Returns
        -------
        Dataset
            All of its structures.

        Raises
        ------
        UserError
            When anything is missing, altered or out of range.
        """
        path = Path(path)
        meta, arrays = read_folder(path)
        if not isinstance(meta.get("domain"), dict):
            raise UserError(f"{path}: dataset.json names no domain")
        with reading(path, "a data set"):
            domain = domain_from_spec(meta["domain"])
            validate(arrays, domain, str(path))
        return cls(domain, Columns(arrays, domain.schema), meta, torch.arange(len(arrays["num_nodes"])), path)

    @classmethod
    def from_arrays(cls, domain: Domain, arrays: Mapping[str, np.ndarray], meta: Mapping) -> Dataset:
        """Make a data set in memory from flat arrays.

        Parameters
        ----------
        domain : Domain
            What the structures are.
        arrays : mapping of str to ndarray
            As ``pack`` returns them, and maybe ``split`` (M,) uint8: 0, 1, 2 for train, valid, test; all train without.
        meta : mapping
            What the data set says of itself: ``name``, ``source``, ``order``.

        Returns
        -------
        Dataset
            All structures.

        Raises
        ------
        UserError
            For arrays that do not fit each other or the domain.
        """
        arrays = {"split": np.zeros(len(arrays["num_nodes"]), np.uint8), **arrays}
        validate(arrays, domain, str(meta.get("name", "data set")))
        return cls(domain, Columns(arrays, domain.schema), meta, torch.arange(len(arrays["num_nodes"])))

    def save(self, path: str | Path, replace: bool = False) -> None:
        """Write the whole data set (not a view) as a folder, atomically.

        Parameters
        ----------
        path : str or Path
            The folder.
        replace : bool
            Whether an earlier data set there gives way to it.

        Raises
        ------
        ValueError
            For a view.
        UserError
            When ``path`` exists, or cannot be written.
        """
        if len(self) != len(self.columns.num_nodes):
            raise ValueError("a view cannot be saved, only the whole data set")
        arrays = {name: tensor.numpy() for name, tensor in self.columns.arrays.items()}
        counts = {name: int((arrays["split"] == k).sum()) for k, name in enumerate(SPLITS)}
        meta = {**self.meta, "domain": self.domain.spec, "count": len(self), "splits": counts}
        write_folder(
            Path(path), {k: v for k, v in meta.items() if k not in ("format", "version", "arrays")}, arrays, replace
        )

    def keep(self, path: Path) -> None:
        """Save into a cache: where another process has saved the same meanwhile, that is as good.

        Parameters
        ----------
        path : Path
            The folder.

        Raises
        ------
        UserError
            When it cannot be written.
        """
        try:
            self.save(path)
        except UserError:
            if not path.exists():
                raise

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def num_nodes(self) -> Tensor:
        """(M,) int64."""
        return self.columns.num_nodes[self.rows]

    @property
    def num_edges(self) -> Tensor:
        """Pairs with an edge: (M,) int64."""
        return self.columns.num_edges[self.rows]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names of the node labels, for molecules the atoms."""
        return getattr(self.domain, "atoms", ())

    def select(self, indices: Sequence[int] | Tensor | np.ndarray | slice) -> Dataset:
        """Take a view of some structures.

        Parameters
        ----------
        indices : sequence of int, Tensor, ndarray or slice
            Places in this data set.

        Returns
        -------
        Dataset
            Which shares the arrays.
        """
        index = indices if isinstance(indices, slice) else _index(indices)
        return Dataset(self.domain, self.columns, self.meta, self.rows[index], self.path)

    @property
    def splits(self) -> list[str]:
        """The names of the splits that have structures."""
        present = self.columns.arrays["split"][self.rows].unique().tolist()
        return [name for place, name in enumerate(SPLITS) if place in present]

    def split(self, name: str) -> Dataset:
        """Take the view of a split.

        Parameters
        ----------
        name : {"train", "valid", "test"}
            Which.

        Returns
        -------
        Dataset
            Which shares the arrays.

        Raises
        ------
        UserError
            For another name or an empty split.
        """
        if name not in SPLITS:
            raise UserError(f"no split {name!r}{nearest(name, SPLITS)}")
        view = self.select(torch.nonzero(self.columns.arrays["split"][self.rows] == SPLITS.index(name))[:, 0])
        if not len(view):
            raise UserError(f"{self.meta.get('name', self.path)}: the split {name!r} is empty")
        return view

    def batch(self, indices: Sequence[int] | Tensor | np.ndarray, nodes: int | None = None) -> State:
        """Make a padded batch of some structures.

        Parameters
        ----------
        indices : sequence of int, Tensor or ndarray
            (B,) places in this data set.
        nodes : int, optional
            Nodes that each is padded to, by default those of the largest among them.

        Returns
        -------
        State
            B structures.
        """
        return self.columns.batch(self.rows[_index(indices)], nodes)

    def size_histogram(self) -> list[float]:
        """Share of the structures with 0, 1, 2, ... nodes."""
        return (torch.bincount(self.num_nodes).double() / max(len(self), 1)).tolist()

    def marginals(self) -> dict[str, list[float]]:
        """Share of every label: over the nodes, and over the unordered pairs of distinct nodes."""
        shares = {}
        sizes = self.num_nodes
        pairs = int((sizes * (sizes - 1) // 2).sum())
        owner, edges = self.columns.edges_of(self.rows)
        for name, field in self.domain.schema.items():
            if not isinstance(field, Categorical) or field.axes == "whole":
                continue
            flat = self.columns.arrays[name]
            if field.axes == "node":
                starts = self.columns.node_start[self.rows]
                shift = starts - (sizes.cumsum(0) - sizes)
                flat = flat[torch.arange(int(sizes.sum())) + torch.repeat_interleave(shift, sizes)]
                counts = torch.bincount(flat.long(), minlength=field.classes)
            else:
                counts = torch.bincount(flat[edges].long(), minlength=field.classes)
                counts[0] = pairs - len(edges)
            shares[name] = (counts.double() / max(int(counts.sum()), 1)).tolist()
        return shares


def _index(indices: Sequence[int] | Tensor | np.ndarray) -> Tensor:
    index = torch.as_tensor(indices)
    return index if index.numel() else index.long()  # an empty list has no integers to tell its type


def validate(arrays: Mapping[str, np.ndarray], domain: Domain, place: str) -> None:
    """Check lengths and ranges of flat arrays, so that no batch can fail later.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Flat arrays with ``split``.
    domain : Domain
        What the structures are.
    place : str
        What stands before the message of an error.

    Raises
    ------
    UserError
        Names the array that is missing, of another length, or out of range.
    """
    schema = domain.schema
    missing = sorted({"num_nodes", "num_edges", "edges", "split", *schema} - set(arrays))
    if missing:
        raise UserError(f"{place}: the array {missing[0]!r} is missing")
    whole = (
        "num_nodes",
        "num_edges",
        "edges",
        "split",
        *(name for name, field in schema.items() if isinstance(field, Categorical)),
    )
    for name in ("num_nodes", "num_edges", "edges", "split", *schema):
        expected = "iu" if name in whole else "iuf"
        if arrays[name].dtype.kind not in expected:
            raise UserError(
                f"{place}: {name} needs {'integers' if expected == 'iu' else 'numbers'}, got {arrays[name].dtype}"
            )
    sizes, counts = arrays["num_nodes"].astype(np.int64), arrays["num_edges"].astype(np.int64)
    edges = arrays["edges"]
    if sizes.ndim != 1 or counts.shape != sizes.shape or arrays["split"].shape != sizes.shape:
        raise UserError(f"{place}: num_nodes, num_edges and split need one entry a structure")
    if len(sizes) and (
        sizes.min() < 1 or sizes.max() > MAX_NODES or counts.min() < 0 or not np.isin(arrays["split"], (0, 1, 2)).all()
    ):
        raise UserError(f"{place}: expected 1 to {MAX_NODES} nodes, edges not negative and a split of 0, 1 or 2")
    if edges.ndim != 2 or (len(counts) and counts.max() > len(edges)) or edges.shape != (counts.sum(), 2):
        raise UserError(f"{place}: edges needs shape {(int(counts.sum()), 2)}, got {edges.shape}")
    if (
        len(edges)
        and not ((edges[:, 0] >= 0) & (edges[:, 0] < edges[:, 1]) & (edges[:, 1] < np.repeat(sizes, counts))).all()
    ):
        raise UserError(f"{place}: an edge (i, j) needs 0 <= i < j < number of nodes")
    owner = np.repeat(np.arange(len(sizes)), counts)
    keys = (owner * (MAX_NODES + 1) + edges[:, 0]) * (MAX_NODES + 1) + edges[:, 1]
    if (np.diff(np.sort(keys, kind="stable")) == 0).any():
        raise UserError(f"{place}: an edge is listed twice")
    lengths = {"node": int(sizes.sum()), "pair": int(counts.sum()), "whole": len(sizes)}
    for name, field in schema.items():
        trailing = field.trailing
        if arrays[name].shape != (lengths[field.axes], *trailing):
            raise UserError(f"{place}: {name} needs shape {(lengths[field.axes], *trailing)}, got {arrays[name].shape}")
        if isinstance(field, Categorical) and arrays[name].size:
            low = 1 if field.axes == "pair" else 0
            if arrays[name].min() < low or arrays[name].max() >= field.classes:
                raise UserError(
                    f"{place}: {name} needs labels {low} to {field.classes - 1}, got up to {arrays[name].max()}"
                )
