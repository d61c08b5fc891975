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
    """Read the graphs of a file, see ``symdiff.graphs.files``.

    Parameters
    ----------
    path : str or Path
        Arrays or GraphML.

    Returns
    -------
    Graphs
        A bad graph costs no other.

    Raises
    ------
    UserError
        For a file that cannot be read.
    """
    return from_set(read_graphs(path))


def read_splits(path: str | Path) -> tuple[Graphs, Graphs | None]:
    """Read the training and the test graphs of a file.

    Parameters
    ----------
    path : str or Path
        Arrays, perhaps with ``split``.

    Returns
    -------
    tuple of Graphs
        The two, or all graphs and None where there is no split.

    Raises
    ------
    UserError
        For a file that cannot be read.
    """
    contents = read_graphs(path)
    graphs = from_set(contents)
    if contents.split is None:
        return graphs, None
    test = np.flatnonzero(contents.split == TEST)
    return graphs.select(np.flatnonzero(contents.split == TRAIN)), graphs.select(test) if len(test) else None


def from_columns(arrays: Mapping[str, np.ndarray], place: str) -> Graphs:
    """Make a set of the arrays of a file.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        ``num_nodes``, ``edge_ptr``, ``edges`` and perhaps labels and inputs.
    place : str
        Name of the file.

    Returns
    -------
    Graphs
        The graphs.

    Raises
    ------
    UserError
        Where the arrays do not fit together.
    """
    return from_set(read_columns(arrays, place))
