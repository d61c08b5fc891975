"""Nine tasks on short sequences whose labels are equivariant under nine permutation groups, four different ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LENGTH = 10
WINDOW = 4
TARGET = 7
"""The sum that two tokens of different halves must have."""

REVERSAL, DIHEDRAL, CYCLIC = f"reversal {LENGTH}", f"dihedral {LENGTH}", f"cyclic {LENGTH}"
HALVES = f"wreath (symmetric {LENGTH // 2}, symmetric 2)"


@dataclass(frozen=True)
class Task:
    """A labeling of the tokens of a sequence.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    group : str
        The permutations of the positions that labels move with, as ``parse_group`` reads it.
    label : callable
        Labels (M, N) uint8 of tokens (M, N), and which sequences have one answer (M,) bool.
    plant : callable, optional
        Puts what is looked for into half of the sequences: ``plant(tokens, random)``.
    """

    tokens: int
    group: str
    label: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    plant: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None


def draw_sequences(name: str, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of a task with their labels.

    Parameters
    ----------
    name : str
        One of ``TASKS``.
    count : int
        M.
    seed : int
        Same seed, same sequences.

    Returns
    -------
    tokens, labels : numpy.ndarray
        (M, 10) int64 and (M, 10) uint8. Where the task plants something, half of the sequences have it, and the others
        have nothing to find.

    References
    ----------
    Goel, Lim, Lawrence, Jegelka, Huang: Any-Subgroup Equivariant Networks via Symmetry Breaking (ICLR 2026,
    https://arxiv.org/abs/2603.19486).
    """
    task, random = TASKS[name], np.random.default_rng([seed, list(TASKS).index(name)])
    if task.plant is None:
        return _collect(task, count, random)
    planted = count // 2
    with_it = _collect(task, planted, random, task.plant, keep=True)
    without = _collect(task, count - planted, random, keep=False)
    order = random.permutation(count)
    return np.concatenate([with_it[0], without[0]])[order], np.concatenate([with_it[1], without[1]])[order]


def _collect(
    task: Task,
    count: int,
    random: np.random.Generator,
    plant: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    keep: bool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """As many sequences with one answer; ``keep``: only those with a positive label, or only those without."""
    tokens, labels, have = [], [], 0
    while have < count:
        x = random.integers(task.tokens, size=(2 * count + 16, LENGTH))
        x = x if plant is None else plant(x, random)
        y, sound = task.label(x)
        sound &= True if keep is None else y.any(1) == keep
        tokens.append(x[sound])
        labels.append(y[sound])
        have += int(sound.sum())
    return np.concatenate(tokens)[:count], np.concatenate(labels)[:count]


def _palindromes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All windows of 4 that read the same both ways."""
    y = np.zeros(x.shape, np.uint8)
    for start in range(LENGTH - WINDOW + 1):
        window = x[:, start : start + WINDOW]
        y[:, start : start + WINDOW] |= (window == window[:, ::-1]).all(1)[:, None]
    return y, np.ones(len(x), bool)


def _runs(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one longest run of equal nonzero steps (M, N − 1) of at least 3; nothing where there is none."""
    y, longest, ties = (np.zeros((len(steps), LENGTH), np.uint8), np.zeros(len(steps), int), np.zeros(len(steps), bool))
    for start in range(LENGTH - 1):
        alive = (steps[:, start] != 0) & ((start == 0) | (steps[:, start] != steps[:, max(start - 1, 0)]))
        length = np.zeros(len(steps), int)
        going = alive.copy()
        for step in range(start, LENGTH - 1):
            going &= steps[:, step] == steps[:, start]
            length += going
        length = np.where(length >= WINDOW - 1, length, 0)
        better = length > longest
        ties = np.where(better, False, ties | ((length == longest) & (length > 0)))
        longest = np.maximum(longest, length)
        place = np.arange(LENGTH)
        inside = (place >= start) & (place <= start + length[:, None])
        y = np.where(better[:, None], inside, y).astype(np.uint8)
    return y, ~ties


def _monotone(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one longest strictly rising or falling run of at least 4."""
    return _runs(np.sign(np.diff(x, axis=1)))


def _constant(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one longest run of at least 4 equal tokens."""
    return _runs((np.diff(x, axis=1) == 0).astype(int))


def _best_window(value: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The one window of 4 around the ring with the greatest value; ``value`` of (M, N, 4) is (M, N)."""

    def label(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        windows = (np.arange(LENGTH)[:, None] + np.arange(WINDOW)) % LENGTH
        values = value(x[:, windows])
        best = values.argmax(1)
        y = np.zeros(x.shape, np.uint8)
        np.put_along_axis(y, windows[best], 1, 1)
        return y, (values == values.max(1, keepdims=True)).sum(1) == 1

    return label


def _across(match: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable:
    """Tokens with a partner in the other half: ``match`` of (M, N/2, 1) and (M, 1, N/2)."""

    def label(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = x[:, : LENGTH // 2], x[:, LENGTH // 2 :]
        both = match(first[:, :, None], second[:, None])
        return np.concatenate([both.any(2), both.any(1)], 1).astype(np.uint8), np.ones(len(x), bool)

    return label


def _absent(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, sound = _across(np.equal)(x)
    return 1 - y, sound


def _plant(make: Callable[[np.random.Generator, int], np.ndarray]) -> Callable:
    def plant(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
        start = random.integers(LENGTH - WINDOW + 1, size=len(x))
        x = x.copy()
        np.put_along_axis(x, start[:, None] + np.arange(WINDOW), make(random, len(x)), 1)
        return x

    return plant


def _a_palindrome(random: np.random.Generator, count: int) -> np.ndarray:
    half = random.integers(10, size=(count, WINDOW // 2))
    return np.concatenate([half, half[:, ::-1]], 1)


def _a_monotone_run(random: np.random.Generator, count: int) -> np.ndarray:
    rising = np.sort(random.permuted(np.tile(np.arange(10), (count, 1)), axis=1)[:, :WINDOW], 1)
    return np.where(random.integers(2, size=(count, 1)) == 0, rising, rising[:, ::-1])


def _a_constant_run(random: np.random.Generator, count: int) -> np.ndarray:
    return np.repeat(random.integers(10, size=(count, 1)), WINDOW, 1)


TASKS: dict[str, Task] = {
    "palindrome": Task(10, REVERSAL, _palindromes, _plant(_a_palindrome)),
    "monotone": Task(10, REVERSAL, _monotone, _plant(_a_monotone_run)),
    "constant": Task(10, REVERSAL, _constant, _plant(_a_constant_run)),
    "cyclic-sum": Task(7, DIHEDRAL, _best_window(lambda w: w.sum(-1))),
    "cyclic-product": Task(7, DIHEDRAL, _best_window(lambda w: w.prod(-1))),
    "cyclic-alternating-sum": Task(7, CYCLIC, _best_window(lambda w: w @ np.array([1, -1, 1, -1]))),
    "intersect": Task(7, HALVES, _across(np.equal)),
    "symmetric-difference": Task(7, HALVES, _absent),
    "target-sum": Task(7, HALVES, _across(lambda a, b: a + b == TARGET)),
}
"""By name. The group of ``cyclic-alternating-sum`` is that of rotations alone: a reversal turns its values around."""
