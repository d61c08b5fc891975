"""Bounds on the negative log-likelihood, of the labelled structure and of the unlabelled one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.canonical.nodes import Nodes
from symdiff.diffusion import Diffusion
from symdiff.random import Generator
from symdiff.state import State


@dataclass(frozen=True)
class Bounds:
    """Upper bounds on −log p in nats, (B,), for the structure with numbered nodes and for its isomorphism class."""

    labelled: Tensor
    unlabelled: Tensor


@torch.no_grad()
def bounds(
    diffusion: Diffusion,
    x0: State,
    steps: int,
    generator: Generator | None = None,
    draws: int | None = None,
    size_histogram: Sequence[float] | None = None,
) -> Bounds:
    """Bound −log p(x0) by the ancestral chain of ``steps`` steps.

    An isomorphism class holds n!/|Aut| labelled structures, all equally likely: labelled = unlabelled + log(n!/|Aut|).
    ``Diffusion.nll`` bounds the unlabelled one if z is anchored in the data, else the labelled one.
    ``size_histogram``: the law of the number of nodes (share of structures with 0, 1, 2, ... nodes); its −log p(n) is added.
    ``draws``: as in ``Diffusion.nll``.
    """
    nll = diffusion.nll(x0, steps, generator, draws).double()
    if size_histogram is not None:
        nll = nll - torch.tensor(list(size_histogram), dtype=torch.float64, device=x0.device)[x0.num_nodes].log()
    orbit = torch.lgamma(x0.num_nodes.double() + 1) - Nodes().log_automorphisms(x0)
    if diffusion.breaker.anchor == "data":
        return Bounds(labelled=nll + orbit, unlabelled=nll)
    return Bounds(labelled=nll, unlabelled=nll - orbit)
