"""A data set in the domain of a model: labels get the model's numbers, and what the model does not know is left out."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor

from symdiff.data.dataset import Dataset
from symdiff.domains.arrays import Columns
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.state import Categorical

FREE = ("atoms", "max_nodes", "node_classes", "edge_classes")
"""Settings of a domain that may differ: how many labels and nodes there are, and how labels are numbered."""


class Converted(NamedTuple):
    """A data set in another domain.

    Attributes
    ----------
    dataset : Dataset
    rows : Tensor
        (m,) int64, which of the structures are in it.
    left_out : dict of str to int
        How many of the others there were, by the reason.
    """

    dataset: Dataset
    rows: Tensor
    left_out: dict[str, int]


def convert(dataset: Dataset, domain: Domain, nodes: int | None = None) -> Converted:
    """Express a data set in another domain of the same kind.

    Parameters
    ----------
    dataset : Dataset
        Of the same kind.
    domain : Domain
        That of a model.
    nodes : int, optional
        The largest structure that the model takes.

    Returns
    -------
    Converted
        The structures that the domain can express, and how many were left out.

    Raises
    ------
    UserError
        For a domain of another kind or with other settings, and where nothing is left.
    """
    before, now = dataset.domain.spec, domain.spec
    if "properties" not in now:
        before.pop("properties", None)
    for key in sorted({*before, *now} - {*FREE}):
        if before.get(key) != now.get(key):
            raise UserError(
                f"{dataset.meta.get('name', 'data set')}: {key}: the model has {now.get(key)}, the data "
                f"{before.get(key)}"
            )
    arrays = dict(dataset.columns.arrays)
    reasons = [""] * len(dataset.columns.num_nodes)
    for name, field in domain.schema.items():
        old = dataset.domain.schema[name]
        if not isinstance(field, Categorical) or not isinstance(old, Categorical):
            continue
        texts = dataset.domain.label_names(name)
        known = {text: place for place, text in enumerate(domain.label_names(name))}
        table = torch.tensor([known.get(text, -1) for text in texts])
        labels = table[arrays[name].long()]
        for structure, label in zip(*_unknown(dataset, name, labels, arrays[name]), strict=True):
            reasons[structure] = reasons[structure] or f"{name} {texts[label]} is not known to the model"
        arrays[name] = labels.clamp_min(0).to(arrays[name].dtype)
    if nodes is not None:
        for structure in torch.nonzero(dataset.columns.num_nodes > nodes)[:, 0].tolist():
            reasons[structure] = reasons[structure] or f"more than {nodes} nodes"
    fits = torch.tensor([not reason for reason in reasons])
    rows = torch.nonzero(fits[dataset.rows])[:, 0]
    left_out = Counter(reasons[structure] for structure in dataset.rows.tolist() if reasons[structure])
    if not len(rows):
        reason, count = left_out.most_common(1)[0] if left_out else ("no structures", 0)
        raise UserError(f"{dataset.meta.get('name', 'data set')}: nothing that the model takes ({count} {reason})")
    meta = {key: value for key, value in dataset.meta.items() if key != "arrays"}
    columns = Columns({name: array.numpy() for name, array in arrays.items()}, domain.schema)
    return Converted(Dataset(domain, columns, meta, dataset.rows[rows]), rows, dict(left_out.most_common()))


def _unknown(dataset: Dataset, name: str, labels: Tensor, before: Tensor) -> tuple[list[int], list[int]]:
    """The structures with a label that became -1, and which it was."""
    columns, axes = dataset.columns, dataset.domain.schema[name].axes
    places = torch.nonzero(labels.reshape(len(labels), -1).lt(0).any(1))[:, 0]
    if not len(places):
        return [], []
    counts = {"node": columns.num_nodes, "pair": columns.num_edges}.get(axes)
    owner = places if counts is None else torch.searchsorted(counts.cumsum(0), places, right=True)
    return owner.tolist(), before[places].long().reshape(len(places), -1)[:, 0].tolist()
