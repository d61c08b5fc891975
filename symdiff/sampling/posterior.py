"""z for a structure that is partly known."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.processes.base import add
from symdiff.random import Generator, uniform
from symdiff.state import Categorical, State, support

CANDIDATES = 32
ROUNDS = 8


@torch.no_grad()
def draw_posterior(
    diffusion: Diffusion,
    known: State,
    condition: State | None,
    generator: Generator | None = None,
    candidates: int = CANDIDATES,
) -> State:
    """Draw z given what is known of the structure: of several draws from p(z), one by the weights p(known | z).

    Parameters
    ----------
    diffusion : Diffusion
        The model, whose process reveals.
    known : State
        Over ``noisy_schema()``, hidden where an entry is not known; B rows.
    condition : State or None
        The fields that are given, with the mask of ``known``.
    generator : Generator, optional
        The source of randomness.
    candidates : int
        Draws from p(z).

    Returns
    -------
    State
        z.

    Raises
    ------
    ValueError
        For a process that has no label for what is not known.
    """
    process = diffusion.process

    def with_condition(x: State) -> State:
        return x if condition is None else x.with_values(condition.schema, **condition.values)

    entries = {name: support(field, known.mask) for name, field, _ in process.fields()}
    count = add(
        (entries[name] & (known[name] < field.classes)).flatten(1).sum(1)
        for name, field, _ in process.fields()
        if isinstance(field, Categorical)
    )
    rounds = min(ROUNDS, int(count.max()))
    chosen: State | None = None
    heap: Tensor | None = None
    for _ in range(candidates if rounds else 1):
        z = diffusion.draw(condition, process.prior(known.mask, generator), generator)
        weight = process.evidence(
            lambda x, t, z=z: diffusion.denoiser(with_condition(x), t, z), known, rounds, generator
        )
        heap = weight if heap is None else torch.logaddexp(heap, weight)
        take = uniform((len(known),), generator, weight).log() < weight - heap  # a reservoir of one
        chosen = (
            z
            if chosen is None
            else chosen.with_values(**{name: _choose(take, z[name], chosen[name]) for name in z.schema})
        )
    assert chosen is not None
    return chosen


def _choose(rows: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """``one`` in ``rows`` (B,), elsewhere the ``other``."""
    return torch.where(rows.view(-1, *[1] * (one.dim() - 1)), one, other)
