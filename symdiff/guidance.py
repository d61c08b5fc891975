"""Classifier-free guidance: conditions that may be hidden, and predictions with and without them, combined."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symdiff.state import Categorical, Schema, State

MARKER = Categorical("whole", 2)
"""The field that says whether a condition is hidden: 0 it is there, 1 it is absent, and its value zero."""


def marker(name: str) -> str:
    """Name the field that says whether a condition is hidden.

    Parameters
    ----------
    name : str
        The field of the condition.

    Returns
    -------
    str
        The field of its marker.
    """
    return f"{name}.absent"


def may_hide(schema: Schema) -> list[str]:
    """List the conditions that can be hidden: the fields that have a marker.

    Parameters
    ----------
    schema : mapping of str to Field
        The types of a structure's fields.

    Returns
    -------
    list of str
        Their names.
    """
    return [name for name in schema if marker(name) in schema]


def hide(x: State, rows: Tensor | None = None) -> State:
    """Hide the conditions that have a marker: zero for the value, 1 for the marker.

    Parameters
    ----------
    x : State
        B structures.
    rows : Tensor, (B,) bool, optional
        The structures whose conditions are hidden; without it all.

    Returns
    -------
    State
        The structures with these conditions hidden.
    """
    rows = torch.ones(len(x), dtype=torch.bool, device=x.device) if rows is None else rows
    values = {}
    for name in may_hide(x.schema):
        values[name] = torch.where(rows.view(-1, *[1] * (x[name].ndim - 1)), torch.zeros_like(x[name]), x[name])
        values[marker(name)] = torch.where(rows, 1, x[marker(name)])
    return x.with_values(**values)


def combine(conditional: State, unconditional: State, strength: float) -> State:
    """Combine two predictions linearly: ``strength`` of the first and 1 − ``strength`` of the second.

    Of distributions this is p(x0) (p(x0 | c)/p(x0))^strength for every label, of reals the mean that a score of those
    powers has.

    Parameters
    ----------
    conditional : State
        Logits and reals that were predicted with the condition.
    unconditional : State
        The same fields, predicted without it.
    strength : float
        The guidance strength.

    Returns
    -------
    State
        The combined prediction.
    """
    values = {name: torch.lerp(unconditional[name], conditional[name], strength) for name in conditional.schema}
    return State(conditional.mask, conditional.schema, values)


class Guided(nn.Module):
    """A denoiser whose predictions follow the conditions ``strength`` times as strongly.

    It takes two evaluations of the network instead of one. 1 is the conditional distribution and 0 the unconditional
    one, exactly and in one evaluation; any other strength is a distribution that no data have: between steps it is a
    heuristic.

    Parameters
    ----------
    denoiser : callable
        Predicts from (x, t, z), as ``Denoiser.forward`` does.
    strength : float
        The guidance strength: 1 is the conditional and 0 the unconditional prediction.

    References
    ----------
    Ho and Salimans, Classifier-Free Diffusion Guidance, 2022, https://arxiv.org/abs/2207.12598.
    Nisonoff et al., Unlocking Guidance for Discrete State-Space Diffusion, ICLR 2025 (labels).
    """

    def __init__(self, denoiser: Callable[[State, Tensor, State], State], strength: float) -> None:
        super().__init__()
        self.denoiser, self.strength = denoiser, strength

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Predict with guidance.

        Parameters
        ----------
        x : State
            B noisy structures, with their conditions and markers.
        t : Tensor, (B,)
            The times.
        z : State
            The symmetry-breaking input.

        Returns
        -------
        State
            The combined logits and reals.

        Raises
        ------
        ValueError
            Where no condition has a marker, for a strength other than 1.
        """
        if self.strength == 1:
            return self.denoiser(x, t, z)
        if not may_hide(x.schema):
            raise ValueError("guidance needs a condition that was hidden in a part of the training")
        unconditional = self.denoiser(hide(x), t, z)
        return unconditional if self.strength == 0 else combine(self.denoiser(x, t, z), unconditional, self.strength)
