"""Labels of sequences move with the group of their task, with no larger one, and are what they are said to be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from symdiff.data.sets.sequences import LENGTH, TASKS, draw_sequences
from symdiff.groups.named import parse_group

LARGER = {
    "palindrome": "cyclic 10",
    "monotone": "cyclic 10",
    "constant": "dihedral 10",
    "cyclic-sum": "symmetric 10",
    "cyclic-product": "symmetric 10",
    "cyclic-alternating-sum": "dihedral 10",
    "intersect": "symmetric 10",
    "symmetric-difference": "symmetric 10",
    "target-sum": "symmetric 10",
}


def broken(name: str, group: str, x: np.ndarray) -> float:
    """The share of sequences for which some generator's move and the labels disagree."""
    task, shares = TASKS[name], []
    y = task.label(x)[0]
    for g in parse_group(group).generators:
        moved, sound = task.label(x[:, g])
        shares.append(float((moved != y[:, g]).any(1)[sound].mean()))
    return max(shares)


@pytest.mark.parametrize("name", TASKS)
def test_labels_move_with_the_group_and_with_no_larger_one(name):
    x, _ = draw_sequences(name, 2000)
    assert broken(name, TASKS[name].group, x) == 0
    assert broken(name, LARGER[name], x) > 0.05


@pytest.mark.parametrize("name", TASKS)
def test_draws_hold(name):
    x, y = draw_sequences(name, 1000, seed=1)
    again = draw_sequences(name, 1000, seed=1)
    assert np.array_equal(x, again[0]) and np.array_equal(y, again[1])
    assert not np.array_equal(x, draw_sequences(name, 1000, seed=2)[0])
    assert x.shape == y.shape == (1000, LENGTH) and x.min() == 0 and x.max() == TASKS[name].tokens - 1
    labels, sound = TASKS[name].label(x)
    assert sound.all() and np.array_equal(labels, y)
    if TASKS[name].plant is not None:
        assert y.any(1).sum() == 500


def by_hand(name: str, x: list[int]) -> list[int]:
    """The labels of one sequence, written another way."""
    n, y = len(x), [0] * len(x)
    half = n // 2
    if name == "palindrome":
        for i in range(n - 3):
            if x[i] == x[i + 3] and x[i + 1] == x[i + 2]:
                y[i : i + 4] = [1] * 4
    elif name in ("monotone", "constant"):

        def holds(part: list[int]) -> bool:
            steps = list(pairwise(part))
            if name == "constant":
                return all(a == b for a, b in steps)
            return all(a < b for a, b in steps) or all(a > b for a, b in steps)

        runs = [(i, j) for i in range(n) for j in range(i + 4, n + 1) if holds(x[i:j])]
        if runs:
            i, j = max(runs, key=lambda run: run[1] - run[0])
            y[i:j] = [1] * (j - i)
    elif name.startswith("cyclic"):
        ring = x + x
        values = []
        for i in range(n):
            a, b, c, d = ring[i : i + 4]
            values.append({"sum": a + b + c + d, "product": a * b * c * d}.get(name[7:], a - b + c - d))
        best = values.index(max(values))
        for k in range(4):
            y[(best + k) % n] = 1
    else:
        for i in range(n):
            other = x[half:] if i < half else x[:half]
            if name == "target-sum":
                y[i] = int(7 - x[i] in other)
            else:
                y[i] = int((x[i] in other) == (name == "intersect"))
    return y


@pytest.mark.parametrize("name", TASKS)
def test_labels_are_those_by_hand(name):
    x, y = draw_sequences(name, 300, seed=5)
    for tokens, labels in zip(x.tolist(), y.tolist(), strict=True):
        assert by_hand(name, tokens) == labels
