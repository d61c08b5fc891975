"""Arrays that grow on the disk, so that many structures are written without being kept in memory."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeVar

import numpy as np

from symdiff.errors import UserError

Item = TypeVar("Item")
PORTION = 4096
"""Structures whose arrays are made together."""


class Growing:
    """Arrays by name, each of which grows along its first axis in a temporary file without a name.

    Parameters
    ----------
    folder : str or Path
        Where the temporary files are: on the disk that the arrays are written to in the end.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._files: dict[str, tuple[BinaryIO, np.dtype, tuple[int, ...]]] = {}

    def __enter__(self) -> Growing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def append(self, name: str, rows: np.ndarray) -> None:
        """Append rows to an array; the first ones make it.

        Parameters
        ----------
        name : str
            The array.
        rows : ndarray, (m, ...)
            The rows.

        Raises
        ------
        ValueError
            When they are of another type or shape than those before.
        UserError
            When the disk is full.
        """
        try:
            self._append(name, rows)
        except OSError as error:
            raise UserError(f"{self._folder}: cannot be written ({error.strerror or error})") from error

    def _append(self, name: str, rows: np.ndarray) -> None:
        if name not in self._files:
            file = self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115, the stack closes it
            self._files[name] = (file, rows.dtype, rows.shape[1:])
        file, dtype, trailing = self._files[name]
        if (rows.dtype, rows.shape[1:]) != (dtype, trailing):
            raise ValueError(
                f"{name}: expected {dtype} with {trailing} behind the first axis, got {rows.dtype} with "
                f"{rows.shape[1:]}"
            )
        file.write(np.ascontiguousarray(rows).data)

    def __getitem__(self, name: str) -> np.ndarray:
        """The whole array, which stays on the disk: for as long as this is open."""
        file, dtype, trailing = self._files[name]
        file.flush()
        size = dtype.itemsize * math.prod(trailing)
        count = file.seek(0, 2) // size if size else 0
        return np.memmap(file, dtype, "r", shape=(count, *trailing)) if count else np.zeros((0, *trailing), dtype)


def split(items: Iterable[Item], size: int = PORTION) -> Iterator[list[Item]]:
    """Divide items into lists of consecutive ones.

    Parameters
    ----------
    items : iterable
        The items.
    size : int
        The length of a list.

    Yields
    ------
    list
        ``size`` items, the last list perhaps fewer.
    """
    items = iter(items)
    while portion := list(islice(items, size)):
        yield portion
