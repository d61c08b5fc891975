"""Classifier-free guidance: conditions that may be hidden, and predictions with and without them, combined."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symdiff.state import Categorical, Schema, State

MARKER = Categorical("whole", 2)
"""The field that says whether a condition is hidden: 0 it is there, 1 it is absent, and its value zero."""


def marker(name: str) -> str:
    """The name of the marker of the condition ``name``."""
    return f"{name}.absent"


def may_hide(schema: Schema) -> list[str]:
    """The fields that have a marker."""
    return [name for name in schema if marker(name) in schema]


def hide(x: State, rows: Tensor | None = None) -> State:
    """x without the conditions that have a marker, in the structures ``rows`` (B,) bool, or in all."""
    rows = torch.ones(len(x), dtype=torch.bool, device=x.device) if rows is None else rows
    values = {}
    for name in may_hide(x.schema):
        values[name] = torch.where(rows.view(-1, *[1] * (x[name].ndim - 1)), torch.zeros_like(x[name]), x[name])
        values[marker(name)] = torch.where(rows, 1, x[marker(name)])
    return x.with_values(**values)


def combine(conditional: State, unconditional: State, strength: float) -> State:
    """Logits and reals of two predictions, ``strength`` of the first and 1 − ``strength`` of the second.

    Of distributions this is p(x0) (p(x0 | c)/p(x0))^strength for every label, of reals the mean that a score of those
    powers has.
    """
    values = {name: torch.lerp(unconditional[name], conditional[name], strength) for name in conditional.schema}
    return State(conditional.mask, conditional.schema, values)


class Guided(nn.Module):
    """A denoiser whose predictions follow the conditions ``strength`` times as strongly.

    It takes two evaluations of the network instead of one. 1 is the conditional distribution and 0 the unconditional
    one, exactly and in one evaluation; any other strength is a distribution that no data have: between steps it is a
    heuristic.

    References
    ----------
    Ho and Salimans, Classifier-Free Diffusion Guidance, 2022, https://arxiv.org/abs/2207.12598.
    Nisonoff et al., Unlocking Guidance for Discrete State-Space Diffusion, ICLR 2025 (labels).
    """

    def __init__(self, denoiser: Callable[[State, Tensor, State], State], strength: float) -> None:
        super().__init__()
        self.denoiser, self.strength = denoiser, strength

    def forward(self, x: State, t: Tensor, z: State) -> State:
        if self.strength == 1:
            return self.denoiser(x, t, z)
        if not may_hide(x.schema):
            raise ValueError("guidance needs a condition that was hidden in a part of the training")
        unconditional = self.denoiser(hide(x), t, z)
        return unconditional if self.strength == 0 else combine(self.denoiser(x, t, z), unconditional, self.strength)
