"""The learning rate of a step."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Evaluate the learning rate: linear warm-up, then a half cosine that reaches 0 after the last step.

    Parameters
    ----------
    step : int
        Counted from 0; the first step already moves.
    steps : int
        Of the training.
    peak : float
        The greatest learning rate.
    warmup : int
        Steps of the warm-up.

    Returns
    -------
    float
        The learning rate of the step.
    """
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))
