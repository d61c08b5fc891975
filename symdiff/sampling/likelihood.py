"""Bounds on the negative log-likelihood, of the labelled structure and of the unlabelled one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.canonical.nodes import Nodes
from symdiff.diffusion import Diffusion
from symdiff.random import Generator, uniform
from symdiff.state import State


@dataclass(frozen=True)
class Bounds:
    """Upper bounds on −log p of structures.

    Parameters
    ----------
    labelled : Tensor
        (B,) float64, in nats: of the structure with numbered nodes.
    unlabelled : Tensor
        (B,) float64, in nats: of its isomorphism class, whatever the numbering.
    """

    labelled: Tensor
    unlabelled: Tensor


@torch.no_grad()
def nll(
    diffusion: Diffusion, x0: State, steps: int, generator: Generator | None = None, draws: int | None = None
) -> Tensor:
    """Bound −log p(x0 | z) from above by the ancestral chain, with z drawn once.

    With z anchored in the data this bounds −log of the probability of the *unlabelled* structure, else of the labelled
    one; labelled = unlabelled + log(n!/|Aut|).

    Parameters
    ----------
    diffusion : Diffusion
        The model.
    x0 : State
        Clean structures with their conditions, B rows.
    steps : int
        Steps of the chain: the terms of the bound.
    generator : Generator, optional
        Of z and noise.
    draws : int, optional
        Sum only so many terms, each at a step drawn for every structure from its own equal part of the chain, instead
        of all: unbiased, with more noise.

    Returns
    -------
    Tensor
        (B,), in nats.

    Raises
    ------
    ValueError
        With z anchored in the prior sample, since x_t then depends on z, which the chain's terms do not know; and for
        ``draws`` outside 1 to ``steps``.

    References
    ----------
    Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models (NeurIPS 2020).
    """
    if diffusion.breaker.anchor == "prior":
        raise ValueError("no likelihood bound with a breaker anchored in the prior sample; anchor it in the data")
    if draws is not None and not 1 <= draws <= steps:
        raise ValueError(f"draws must be between 1 and steps = {steps}, got {draws}")
    z = diffusion.draw(x0, x0, generator)
    times = diffusion.process.times(steps).float().to(x0.device)
    total = diffusion.process.prior_kl(x0)
    parts = steps if draws is None else draws
    for part in range(parts):
        place = torch.full((len(x0),), (part + 0.5) / parts, device=x0.device)
        if draws is not None:
            place = (part + uniform((len(x0),), generator, place)) / parts
        k = (place * steps).long().clamp_max(steps - 1)
        t, s = times[k], times[k + 1]
        x = diffusion.process.bridge(x0, diffusion.process.prior(x0.mask, generator), t, generator)
        total = total + diffusion.process.kl(diffusion.denoiser(x, t, z), x0, x, t, s) * (steps / parts)
    return total


@torch.no_grad()
def bounds(
    diffusion: Diffusion,
    x0: State,
    steps: int,
    generator: Generator | None = None,
    draws: int | None = None,
    size_histogram: Sequence[float] | None = None,
) -> Bounds:
    """Bound −log p(x0) of labelled and unlabelled structures by the ancestral chain.

    An isomorphism class holds n!/|Aut| labelled structures, all equally likely: labelled = unlabelled + log(n!/|Aut|).
    ``nll`` bounds the unlabelled one if z is anchored in the data, else the labelled one.

    Parameters
    ----------
    diffusion : Diffusion
        The model.
    x0 : State
        Clean structures with their conditions, B rows.
    steps : int
        Steps of the chain.
    generator : Generator, optional
        Of z and noise.
    draws : int, optional
        As for ``nll``.
    size_histogram : sequence of float, optional
        The share of structures with 0, 1, 2, ... nodes; its −log p(n) is added.

    Returns
    -------
    Bounds
        In nats.

    Raises
    ------
    ValueError
        As ``nll``.
    """
    bound = nll(diffusion, x0, steps, generator, draws).double()
    if size_histogram is not None:
        bound = bound - torch.tensor(list(size_histogram), dtype=torch.float64, device=x0.device)[x0.num_nodes].log()
    orbit = torch.lgamma(x0.num_nodes.double() + 1) - Nodes().log_automorphisms(x0)
    if diffusion.breaker.anchor == "data":
        return Bounds(labelled=bound + orbit, unlabelled=bound)
    return Bounds(labelled=bound, unlabelled=bound - orbit)
