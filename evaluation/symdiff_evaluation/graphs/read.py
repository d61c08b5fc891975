"""Graphs from files, by the readers that import training data too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symdiff.graphs.columns import read_columns
from symdiff.graphs.files import ENDINGS, read_graphs
from symdiff_evaluation.graphs.samples import Graphs, from_set

__all__ = ["ENDINGS", "TEST", "TRAIN", "from_columns", "read", "read_splits"]
TRAIN, TEST = 0, 2  # in a split


def read(path: str | Path) -> Graphs:
    """The graphs of a file, see ``symdiff.graphs.files``.

    Raises ``UserError`` for one that cannot be read; a bad graph costs no other.
    """
    return from_set(read_graphs(path))


def read_splits(path: str | Path) -> tuple[Graphs, Graphs | None]:
    """The training and the test graphs of a file with a split; else all of them, and None."""
    found = read_graphs(path)
    graphs = from_set(found)
    if found.split is None:
        return graphs, None
    test = np.flatnonzero(found.split == TEST)
    return graphs.select(np.flatnonzero(found.split == TRAIN)), graphs.select(test) if len(test) else None


def from_columns(arrays: Mapping[str, np.ndarray], place: str) -> Graphs:
    """The graphs of the arrays of a file. Raises ``UserError``."""
    return from_set(read_columns(arrays, place))
