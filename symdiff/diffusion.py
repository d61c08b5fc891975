"""A diffusion: denoiser, process and symmetry breaker. Its forward is the loss, its sample is the loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symdiff.breaking.base import SymmetryBreaker
from symdiff.denoisers.base import Denoiser
from symdiff.guidance import Guided, hide
from symdiff.inpainting import inpaint
from symdiff.processes.base import Process
from symdiff.random import Generator, Streams, uniform
from symdiff.state import State, support

CANDIDATES, ROUNDS = 32, 8
"""Draws of z, and evaluations for each, where a part of the structure is known."""


class Diffusion(nn.Module):
    """z is drawn once per trajectory and kept for every step.

    Training draws z for the structure that the breaker is anchored in; sampling draws it from its marginal law, which
    makes the law of the samples invariant with any process (see ``SymmetryBreaker``).

    Fields that the process does not drive are conditions c: they stand unchanged in every structure that the denoiser
    sees. A breaker anchored in the data then draws z for (c, x0) in training and for c alone in sampling, which is exact where
    the first law, averaged over x0, is the second: for a canonicalizer that reads the conditions first (``Sites``), and for
    conditions that no element of the group moves. ``drop``: the share of the structures whose conditions are hidden in
    training, those that may be, so that sampling can be guided.
    """

    def __init__(self, denoiser: Denoiser, process: Process, breaker: SymmetryBreaker, drop: float = 0.0) -> None:
        super().__init__()
        if breaker.anchor == "prior" and process.renoises:
            raise ValueError(
                f"{type(breaker).__name__} anchored in the prior sample needs steps that transport it, but "
                f"{type(process).__name__} noises afresh: the sampled law would not be the data's; anchor it in the data"
            )
        if process.couples and breaker.anchor == "data":
            raise ValueError(
                f"{type(process).__name__} leads structures to noise near them, but {type(breaker).__name__} is anchored in the data: "
                "given z the noise would not have the prior's law; set anchor to none"
            )
        self.denoiser, self.process, self.breaker, self.drop = denoiser, process, breaker, drop

    def forward(self, x0: State, generator: Generator | None = None) -> Tensor:
        """The loss of every structure, (B,)."""
        if self.drop:
            x0 = hide(x0, uniform((len(x0),), generator, x0.mask) < self.drop)
        x1 = self.process.couple(x0, self.process.prior(x0.mask, generator))
        z = self.draw(x0, x1, generator)
        t = self.process.draw_times(len(x0), generator, x0.mask)
        x = self.process.bridge(x0, x1, t, generator)
        return self.process.loss(self.denoiser(x, t, z), x0, x, t)

    def draw(self, x0: State | None, x1: State, generator: Generator | None = None) -> State:
        """z for a trajectory between x0 (when generating: its conditions, or None) and x1."""
        if self.breaker.anchor == "prior":
            return self.breaker.sample(x1, generator)
        if self.breaker.anchor == "data" and x0 is not None:
            return self.breaker.sample(x0, generator)
        return self.breaker.prior(x1.mask, generator)

    @torch.no_grad()
    def sample(
        self,
        mask: Tensor,
        steps: int,
        generator: Generator | None = None,
        progress: Callable | None = None,
        condition: State | None = None,
        known: State | None = None,
        guidance: float = 1.0,
        particles: int = 1,
    ) -> State:
        """Generate one structure for every row of ``mask`` (B, N), with ``steps`` network evaluations.

        ``condition``: a State with the same mask and the fields that are given; they are part of the result. ``known``: a State over
        the process' ``noisy_schema()`` of which every entry that is not hidden stays as it is, for ``Masked``; for the
        others a fragment: a State over ``schema``, whose nodes stay, with ``particles`` candidates for each structure (``inpaint``).
        ``guidance``: how many times as strongly the conditions count (``Guided``); other than 0 and 1 these evaluations are twice as many.
        """
        denoiser, fragment = Guided(self.denoiser, guidance), known is not None and dict(known.schema) == dict(self.process.schema)
        rows = torch.arange(len(mask), device=mask.device).repeat_interleave(particles)
        if particles > 1:
            mask, generator = mask[rows], generator.split(particles) if isinstance(generator, Streams) else generator
            condition, known = (state and state.select(rows) for state in (condition, known))
        x = self.process.prior(mask, generator)
        z = self.draw(condition, x, generator) if known is None or fragment else self.posterior(known, condition, generator)
        times = self.process.times(steps).float().to(mask.device)  # in this order: not every device has float64
        if known is not None and not fragment:
            x = known
        if condition is not None:
            x = x.with_values(condition.schema, **condition.values)
        if known is not None and fragment:
            x = inpaint(self.process, denoiser, x, z, known, steps, generator, particles, progress)
        else:
            for t, s in zip(times[:-1], times[1:], strict=True):
                t, s = t.expand(len(x)), s.expand(len(x))
                x = self.process.step(x, denoiser(x, t, z), t, s, generator)
                if progress is not None:
                    progress()
        schema = {**(condition.schema if condition is not None else {}), **self.process.schema}
        return State(x.mask, schema, {name: x[name] for name in schema})

    @torch.no_grad()
    def posterior(self, known: State, condition: State | None, generator: Generator | None = None, candidates: int = CANDIDATES) -> State:
        """z given what is ``known`` of the structure: of ``candidates`` draws of p(z), one by the weights p(known | z).

        What is known tells something of z, so that p(z) itself would be the wrong law. Resampling is exact in the limit
        of many candidates; each costs up to ``ROUNDS`` evaluations of the network.
        """

        def with_condition(x: State) -> State:
            return x if condition is None else x.with_values(condition.schema, **condition.values)

        entries = {name: support(field, known.mask) for name, field in self.process.schema.items()}
        shown = sum((entries[name] & (known[name] < field.classes)).flatten(1).sum(1) for name, field in self.process.schema.items())
        rounds = min(ROUNDS, int(shown.max()))
        kept, heap = None, None
        for _ in range(candidates if rounds else 1):
            z = self.draw(condition, self.process.prior(known.mask, generator), generator)
            weight = self.process.evidence(lambda x, t, z=z: self.denoiser(with_condition(x), t, z), known, rounds, generator)
            heap = weight if heap is None else torch.logaddexp(heap, weight)
            take = uniform((len(known),), generator, weight).log() < weight - heap  # a reservoir of one
            kept = z if kept is None else kept.with_values(**{name: _where(take, z[name], kept[name]) for name in z.schema})
        return kept

    @torch.no_grad()
    def nll(self, x0: State, steps: int, generator: Generator | None = None, draws: int | None = None) -> Tensor:
        """Upper bound on −log p(x0 | z), in nats, (B,), by the ancestral chain of ``steps`` steps.

        With z anchored in the data this bounds −log of the probability of the *unlabelled* structure, else of the
        labelled one; labelled = unlabelled + log(n!/|Aut|). ``draws``: sum only so many terms, each at a step drawn
        for every structure from its own equal part of the chain, instead of all (unbiased, noisier).

        Raises
        ------
        ValueError
            With z anchored in the prior sample: x_t then depends on z, which the chain's terms do not know.
        """
        if self.breaker.anchor == "prior":
            raise ValueError("no likelihood bound with a breaker anchored in the prior sample; anchor it in the data")
        if draws is not None and not 1 <= draws <= steps:
            raise ValueError(f"draws must be between 1 and steps = {steps}, got {draws}")
        z = self.draw(x0, x0, generator)
        times = self.process.times(steps).float().to(x0.device)
        total = self.process.prior_kl(x0)
        parts = steps if draws is None else draws
        for part in range(parts):
            place = torch.full((len(x0),), (part + 0.5) / parts, device=x0.device)
            if draws is not None:
                place = (part + uniform((len(x0),), generator, place)) / parts
            k = (place * steps).long().clamp_max(steps - 1)
            t, s = times[k], times[k + 1]
            x = self.process.bridge(x0, self.process.prior(x0.mask, generator), t, generator)
            total = total + self.process.kl(self.denoiser(x, t, z), x0, x, t, s) * (steps / parts)
        return total


def _where(rows: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """``one`` in ``rows`` (B,), elsewhere the ``other``."""
    return torch.where(rows.view(-1, *[1] * (one.dim() - 1)), one, other)
