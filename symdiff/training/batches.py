"""The order of the data: a function of the seed alone, whatever the number of processes."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.random import Streams

_PURPOSES = ("order", "noise", "dropout", "samples")


def seed_for(seed: int, purpose: str) -> int:
    """Make a seed of its own for every use of chance in training, so that no two uses share a stream.

    Parameters
    ----------
    seed : int
        The recipe's.
    purpose : str
        One of ``_PURPOSES``.

    Returns
    -------
    int
        The seed of that use.
    """
    return seed * len(_PURPOSES) + _PURPOSES.index(purpose)


WINDOW = 16
"""Batches whose structures are sorted by size together."""


class Order:
    """Which structures a step sees: every epoch is a fresh permutation, and epochs follow each other without a gap.

    The tail of an epoch shares its batch with the head of the next, so every batch has ``batch_size`` rows and every
    structure is seen once an epoch. Depends on the parameters only.

    Parameters
    ----------
    size : int
        How many structures there are.
    batch_size : int
        Rows of a batch.
    seed : int
        Of the permutations.
    sizes : Tensor, optional
        (size,) nodes of every structure: with them the structures of every ``WINDOW`` batches are shared out by size,
        and those batches come in random order, so that little is padded.

    Raises
    ------
    ValueError
        Where ``size`` or ``batch_size`` is less than 1.
    """

    def __init__(self, size: int, batch_size: int, seed: int, sizes: Tensor | None = None) -> None:
        if size < 1 or batch_size < 1:
            raise ValueError(f"an order needs at least one structure and one row a batch, got {size} and {batch_size}")
        self.size, self.batch_size, self.seed, self.sizes = size, batch_size, seed_for(seed, "order"), sizes
        self._epochs: dict[int, Tensor] = {}
        self._window: tuple[int, Tensor] = (-1, torch.empty(0))

    def batch(self, step: int) -> Tensor:
        """Tell which structures a batch holds.

        Parameters
        ----------
        step : int
            The batch, counted from 0.

        Returns
        -------
        Tensor
            (batch_size,) int64.
        """
        if self.sizes is None:
            return self._rows(step * self.batch_size, (step + 1) * self.batch_size)
        window, place = divmod(step, WINDOW)
        if self._window[0] != window:
            count = WINDOW * self.batch_size
            rows = self._rows(window * count, (window + 1) * count)
            shuffle = Streams(self.seed, self.size + torch.arange(WINDOW), window).bits(1).flatten().argsort()
            self._window = window, rows[self.sizes[rows].argsort(stable=True)].view(WINDOW, -1)[shuffle]
        return self._window[1][place]

    def _rows(self, place: int, end: int) -> Tensor:
        """The structures at the places from ``place`` to ``end`` of the row of epochs."""
        parts = []
        while place < end:
            epoch, start = divmod(place, self.size)
            stop = min(self.size, start + end - place)
            parts.append(self._permutation(epoch)[start:stop])
            place += stop - start
        return torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch not in self._epochs:
            self._epochs = {k: v for k, v in self._epochs.items() if k == epoch - 1}
            self._epochs[epoch] = Streams(self.seed, torch.arange(self.size), epoch).bits(1).flatten().argsort()
        return self._epochs[epoch]


def share(rows: int, rank: int, world: int) -> slice:
    """Tell which rows of a global batch a process works on: contiguous, as many as others have or one more.

    Parameters
    ----------
    rows : int
        The rows of the batch.
    rank, world : int
        The number of the process, and how many there are.

    Returns
    -------
    slice
        Its rows.
    """
    return slice(rows * rank // world, rows * (rank + 1) // world)
