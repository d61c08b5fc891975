"""Importance weights from a model's own likelihood: samples of a learned law count as those of a law known up to its norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.breaking.sympe import SymPE
from symdiff.diffusion import Diffusion
from symdiff.processes.discrete import _sum, surprise
from symdiff.processes.masked import Masked
from symdiff.random import Generator, uniform
from symdiff.state import State


@dataclass(frozen=True)
class Weighted:
    """Sampled structures ``x`` (B rows) and ``log_weights`` (B,): log of f(x) over their density under the model, -inf where 0.

    The mean of the weights estimates Σ_x f(x) without bias.
    """

    x: State
    log_weights: Tensor

    @property
    def log_norm(self) -> float:
        """The estimate of log Σ_x f(x)."""
        return float(self.log_weights.logsumexp(0)) - math.log(len(self.log_weights))

    @property
    def error(self) -> float:
        """The standard error of ``log_norm``, to first order: the relative one of the mean weight."""
        w = (self.log_weights - self.log_weights.max()).exp()
        return float(w.std() / w.mean()) / math.sqrt(len(w))

    @property
    def effective(self) -> float:
        """The number of equally weighted samples that say as much: (Σw)² / Σw²."""
        w = (self.log_weights - self.log_weights.max()).exp()
        return float(w.sum() ** 2 / (w * w).sum())

    def chain(self, generator: Generator | None = None) -> Tensor:
        """Rows (B,) of a Markov chain whose law is f / Σf: every sample in turn is proposed, and taken with the chance min(1, w/w').

        The Metropolized independence sampler (Liu, Statistics and Computing 6, 1996). Where all weights are alike the samples stay as they are; a
        rejected one is replaced by the row before. The first row is the first sample that has weight.
        """
        w, chance = self.log_weights.tolist(), uniform((len(self.log_weights),), generator, self.log_weights).tolist()
        current = next((row for row, one in enumerate(w) if one > -math.inf), 0)
        rows = []
        for row, (one, u) in enumerate(zip(w, chance, strict=True)):
            if one >= w[current] or u < math.exp(one - w[current]):
                current = row
            rows.append(current)
        return torch.tensor(rows)

    def mean(self, values: Tensor) -> float:
        """The mean of ``values`` (B,) under the law f / Σf."""
        return float(self.log_weights.softmax(0) @ values.double())


def weighted(
    diffusion: Diffusion,
    mask: Tensor,
    steps: int,
    log_density: Callable[[State], Tensor],
    generator: Generator | None = None,
    condition: State | None = None,
    progress: Callable | None = None,
    gradient: bool = False,
) -> Weighted:
    """Sample one structure for every row of ``mask`` (B, N) and weigh it by exp ``log_density`` over the model's own density.

    The model draws z, an order σ of revealing, and x; its density of the three is known. That of the target is
    f(x) p(σ) r(z | x), where r is the breaker's own law of z given x: for SymPE uniform on the coset γ(x)·Stab(x). So a sample
    whose z is not one that canonicalization would have drawn for it has weight 0, and the mean weight is without bias.
    ``gradient``: the weights are differentiable in those of the network, for the labels as drawn.

    Raises
    ------
    ValueError
        For a model with another process than Masked, or one with SymPE that is not anchored in the data.
    """
    process, breaker = diffusion.process, diffusion.breaker
    if not isinstance(process, Masked):
        raise ValueError(f"importance weights need the process Masked, got {type(process).__name__}")
    x = process.prior(mask, generator)
    log_model = torch.zeros(len(mask), dtype=torch.float64)
    times = process.times(steps).float().to(mask.device)
    with torch.set_grad_enabled(gradient):
        z = diffusion.draw(condition, x, generator)
        if condition is not None:
            x = x.with_values(condition.schema, **condition.values)
        for t, s in zip(times[:-1], times[1:], strict=True):
            t, s = t.expand(len(x)), s.expand(len(x))
            out = diffusion.denoiser(x, t, z)
            y = process.step(x, out, t, s, generator)
            for name, field in process.schema.items():
                shown = (x[name] == field.classes) & (y[name] < field.classes)
                terms = torch.where(shown, surprise(out[name], y[name].clamp_max(field.classes - 1)), 0.0)
                log_model = log_model - _sum(terms, field, mask).cpu().double()
            x = y
            if progress is not None:
                progress()
    schema = {**(condition.schema if condition is not None else {}), **process.schema}
    x = State(mask, schema, {name: x[name] for name in schema})
    return Weighted(x, log_density(x.to("cpu")).double() + _log_share(breaker, x, z) - log_model)


def _log_share(breaker, x: State, z: State) -> Tensor:
    """log r(z | x) − log p(z), (B,) float64."""
    if not isinstance(breaker, SymPE) or breaker.anchor == "none":
        return torch.zeros(len(x), dtype=torch.float64)  # z is drawn regardless of x
    if breaker.anchor != "data":
        raise ValueError("importance weights need a breaker that is anchored in the data, or in nothing")
    canonicalizer = breaker.canonicalizer
    rows, numbers = canonicalizer.minimizers(x)
    nodes, group = x.mask.shape[1], canonicalizer.group
    images = group.act(group.numbered(numbers, nodes), breaker.code(x.mask[rows]))
    same = torch.stack([(images[name] == z[name][rows]).flatten(1).all(1) for name in z.schema]).all(0)
    hits = torch.zeros(len(x), dtype=torch.bool, device=rows.device).index_put((rows[same],), torch.tensor(True, device=rows.device))
    size = torch.bincount(rows, minlength=len(x)).double()
    return torch.where(hits, math.log(group.count(nodes)) - size.log(), -math.inf).cpu()
