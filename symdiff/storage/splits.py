"""Which part of a data set a structure belongs to, as files say it."""

from __future__ import annotations

import numpy as np

from symdiff.errors import UserError, nearest
from symdiff.storage.numbers import show

SPLITS = ("train", "valid", "test")
_NAMES = {"train": 0, "training": 0, "valid": 1, "val": 1, "validation": 1, "test": 2, "testing": 2}


def read_split(name: str) -> int:
    """Read the name of a split.

    Parameters
    ----------
    name : str
        Such as "train", "val" or "test", in any case.

    Returns
    -------
    int
        0 for training, 1 for validation, 2 for test.

    Raises
    ------
    UserError
        For another name.
    """
    known = _NAMES.get(name.strip().lower())
    if known is None:
        raise UserError(f"split: expected one of {', '.join(SPLITS)}, got {show(name)}{nearest(name[:40], _NAMES)}")
    return known


def read_splits(values: np.ndarray, count: int, place: str = "") -> np.ndarray:
    """Read an array of splits.

    Parameters
    ----------
    values : numpy.ndarray
        0, 1, 2 or names, one for each of ``count`` structures.
    count : int
        How many there must be.
    place : str
        The name of the file, for errors; "" where the caller says it.

    Returns
    -------
    numpy.ndarray
        (count,) uint8.

    Raises
    ------
    UserError
        For another shape, and for other numbers or names.
    """
    at = f"{place}: " if place else ""
    if values.shape != (count,):
        raise UserError(f"{at}split: expected one for each of {count} structures, got {values.dtype} {values.shape}")
    if values.dtype.kind in "US":
        # of numpy's text every word may be another
        words = {
            word: read_split(word if isinstance(word, str) else word.decode("latin-1")) for word in set(values.tolist())
        }
        return np.array([words[word] for word in values.tolist()], np.uint8)
    if values.dtype.kind not in "iuf" or not np.isin(values, (0, 1, 2)).all():
        strange = "truth values" if values.dtype.kind not in "iuf" else f"{values[~np.isin(values, (0, 1, 2))][0]}"
        raise UserError(f"{at}split: expected 0, 1, 2 or the words {', '.join(SPLITS)}, got {strange}")
    return values.astype(np.uint8)
