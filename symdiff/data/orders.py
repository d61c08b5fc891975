"""The same data set with its nodes in another canonical order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symdiff.canonical.nodes import Nodes, Order
from symdiff.canonical.sites import Sites
from symdiff.data.dataset import Dataset
from symdiff.errors import UserError, nearest
from symdiff.groups.lattices import Space
from symdiff.state import Categorical
from symdiff.storage.bundled import cache_folder

LABELLED: tuple[Order, ...] = ("rank", "depth", "breadth")
ORDERS = ("stored", "smiles", *LABELLED)
IMAGES = 1 << 23
MOST_NODES = 512
"""Of a structure whose automorphisms are looked for; (n, n) arrays and searches in them grow out of hand beyond."""
STEPS = 1 << 33
"""Of refinement, over all structures that are looked at."""
PAIRS = 1 << 24
"""Of nodes: in one batch, and that the search through one structure may look at."""
MOST_UNDECIDED = 16
"""Structures whose search is given up before all others are left."""
_BATCH = 4096


def reorder(dataset: Dataset, order: str) -> Dataset:
    """Put the nodes of every structure in a canonical order, in which isomorphic structures are identical.

    "rank", "depth" and "breadth" are those of ``symdiff.canonical.nodes.Nodes``, computed once and kept in the cache,
    under the SHA-256 of the arrays; "stored" is the order as it is, "smiles" the same for molecules.

    Parameters
    ----------
    dataset : Dataset
        Any; a view stays a view of the same structures.
    order : {"stored", "smiles", "rank", "depth", "breadth"}
        The order.

    Returns
    -------
    Dataset
        The same structures, renumbered.

    Raises
    ------
    UserError
        For another name, and "smiles" for data that are not in this order.
    """
    if order not in ORDERS:
        raise UserError(f"order: no order {order!r}{nearest(order, ORDERS)}")
    if order == "smiles" and dataset.meta.get("order") != "smiles":
        name = dataset.meta.get("name", "this data set")
        raise UserError(f"order: {name} has no order 'smiles'; expected 'stored' or one of {', '.join(LABELLED)}")
    if order not in LABELLED or dataset.meta.get("order") == order:
        return dataset
    folder = _folder(dataset, order)
    if folder is None:
        return _reorder(dataset, order)
    if not folder.exists():
        whole = Dataset(dataset.domain, dataset.columns, dataset.meta, torch.arange(len(dataset.columns.num_nodes)))
        _reorder(whole, order).keep(folder)
    reordered = Dataset.open(folder)
    return Dataset(reordered.domain, reordered.columns, reordered.meta, dataset.rows, folder)


def _folder(dataset: Dataset, order: str) -> Path | None:
    """Where the reordered arrays are kept; None for a data set that lies in memory alone."""
    entry = dataset.meta.get("arrays")
    return None if entry is None else cache_folder() / "orders" / f"{entry['sha256'][:24]}-{order}"


def _reorder(dataset: Dataset, order: Order) -> Dataset:
    positions = canonical_positions(dataset, Nodes(order, labels(dataset)))
    columns = dataset.columns
    owner, edges = columns.edges_of(dataset.rows)
    sizes, counts = dataset.num_nodes, dataset.num_edges
    starts = sizes.cumsum(0) - sizes
    ends = positions[starts[owner, None] + columns.arrays["edges"][edges].long()].sort(1).values
    sorted_edges = np.lexsort((ends[:, 1], ends[:, 0], owner))
    nodes = torch.repeat_interleave(columns.node_start[dataset.rows] - starts, sizes) + torch.arange(int(sizes.sum()))
    target = torch.repeat_interleave(starts, sizes) + positions
    arrays = {
        "num_nodes": sizes.int().numpy(),
        "num_edges": counts.int().numpy(),
        "edges": ends[sorted_edges].to(torch.int16).numpy(),
        "split": columns.arrays["split"][dataset.rows].numpy(),
    }
    for name, field in dataset.domain.schema.items():
        flat = columns.arrays[name]
        if field.axes == "node":
            moved = torch.empty((len(nodes), *flat.shape[1:]), dtype=flat.dtype)
            moved[target] = flat[nodes]
            arrays[name] = moved.numpy()
        elif field.axes == "pair":
            arrays[name] = flat[edges][sorted_edges].numpy()
        else:
            arrays[name] = flat[dataset.rows].numpy()
    meta = {name: value for name, value in dataset.meta.items() if name != "arrays"}
    return Dataset.from_arrays(dataset.domain, arrays, {**meta, "order": order})


def canonical_positions(dataset: Dataset, canonicalizer: Nodes) -> Tensor:
    """Tell the position of every node in the canonical order of its structure.

    Parameters
    ----------
    dataset : Dataset
        M structures.
    canonicalizer : Nodes
        Which decides on the order.

    Returns
    -------
    Tensor
        int64, flat as the nodes of the structures one after another.
    """
    sizes = dataset.num_nodes
    starts = sizes.cumsum(0) - sizes
    flat = torch.empty(int(sizes.sum()), dtype=torch.int64)
    for rows in torch.argsort(sizes, stable=True).split(_BATCH):  # similar sizes together: little padding
        x = dataset.batch(rows)
        c = canonicalizer.element(x)
        place = starts[rows, None] + torch.arange(x.mask.shape[1])
        flat[place[x.mask]] = c[x.mask]
    return flat


def labels(dataset: Dataset) -> list[str]:
    """Name the fields that nodes are ordered by: those of labels.

    Parameters
    ----------
    dataset : Dataset
        Any.

    Returns
    -------
    list of str
        In the order of the schema.
    """
    return [name for name, field in dataset.domain.schema.items() if isinstance(field, Categorical)]


@dataclass(frozen=True)
class Symmetry:
    """The automorphism groups of some structures of a data set.

    Parameters
    ----------
    count : int
        Structures whose group was found.
    asymmetric : int
        Those of them that have no automorphism but the identity.
    largest : float
        The largest order, 1 where there is none.
    too_large : int
        Structures of over ``MOST_NODES`` nodes, which are left out.
    undecided : int
        Structures whose search was given up.
    """

    count: int
    asymmetric: int
    largest: float
    too_large: int = 0
    undecided: int = 0


def symmetry(dataset: Dataset, limit: int = 5000) -> Symmetry:
    """Find the automorphism groups of evenly spaced structures of a data set; only labels are looked at.

    Where the domain's group has a space group they are the operations of it that leave a structure with its conditions
    as it is; so many structures are looked at as have ``IMAGES`` images. Of others so many that refinement is through
    in a minute or two, which takes up to n³ steps for n nodes.

    Parameters
    ----------
    dataset : Dataset
        Of any domain.
    limit : int
        Structures that are looked at, at most.

    Returns
    -------
    Symmetry
        What was found, and how many structures were left out.
    """
    group = dataset.domain.group
    space = next((part for part in getattr(group, "groups", [group]) if isinstance(part, Space)), None)
    if space is not None:
        limit = min(limit, max(1, IMAGES // space.count(int(dataset.num_nodes[0]))))
        rows = _space_out(torch.arange(len(dataset)), limit)
        orders = torch.cat([Sites(space).automorphisms(dataset.batch(part)) for part in rows.split(_BATCH)])
        return _summarize(orders)
    rows = torch.nonzero(dataset.num_nodes <= MOST_NODES)[:, 0]
    too_large = len(dataset) - len(rows)
    steps = float((dataset.num_nodes[rows].double() ** 3).mean()) if len(rows) else 1.0
    rows = _space_out(rows, min(limit, max(1, int(STEPS / max(steps, 1.0)))))
    rows = rows[torch.argsort(dataset.num_nodes[rows], stable=True)]
    canonicalizer, orders = Nodes(fields=labels(dataset)), torch.ones(0, dtype=torch.float64)
    for part in _batches(rows, dataset.num_nodes[rows]):
        if int((orders == 0).sum()) > MOST_UNDECIDED:
            break
        orders = torch.cat([orders, canonicalizer.automorphisms(dataset.batch(part), PAIRS)])
    return _summarize(orders, too_large)


def _space_out(rows: Tensor, count: int) -> Tensor:
    """So many of the rows, evenly spaced, or all."""
    return rows[torch.linspace(0, len(rows) - 1, min(count, len(rows)), dtype=torch.float64).round().long().unique()]


def _batches(rows: Tensor, sizes: Tensor) -> Iterator[Tensor]:
    """Rows of rising sizes in portions whose padded pairs fit into memory."""
    start = 0
    while start < len(rows):
        # the last of a portion is its largest
        stop = min(start + _BATCH, len(rows))
        while stop - start > 1 and (stop - start) * int(sizes[stop - 1]) ** 2 > PAIRS:
            stop = start + (stop - start) // 2
        yield rows[start:stop]
        start = stop


def _summarize(orders: Tensor, too_large: int = 0) -> Symmetry:
    decided = orders[orders > 0]
    return Symmetry(
        len(decided),
        int((decided == 1).sum()),
        float(decided.max()) if len(decided) else 1.0,
        too_large,
        len(orders) - len(decided),
    )
