"""Guidance by a score of one's own: predictions move along its gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from symdiff.errors import UserError
from symdiff.processes.base import Process
from symdiff.state import Categorical, Logits, State

Score = Callable[[State], Tensor]
"""A function of predicted clean structures that returns (B,): reals as they are, labels as probabilities, which are a
field of ``Logits`` (B, N, classes) or (B, N, N, classes)."""


class Scored(nn.Module):
    """A denoiser whose predictions of x0 move towards a higher score: p(x0 | x_t) is led to p(x0 | x_t) exp(score).

    The score is evaluated for the prediction. Reals move by Tweedie's formula along the gradient with respect to x_t;
    the logits of labels get the gradient with respect to their probabilities, which is exact for a score that is linear
    in them, and the first order of any other. Between steps it is a heuristic, as all guidance is. A score that is
    invariant keeps the samples' distribution invariant.

    Parameters
    ----------
    denoiser : callable
        The network, or one that is guided otherwise.
    process : Process
        That of the model, which says how its output is read.
    score : callable
        See ``Score``: differentiable, higher is better, in units of a log-probability.
    strength : float
        What the score is multiplied by.

    References
    ----------
    Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis (NeurIPS 2021); Chung et al., Diffusion Posterior
    Sampling (ICLR 2023). Vignac et al., DiGress (ICLR 2023) for labels.
    """

    def __init__(
        self,
        denoiser: Callable[[State, Tensor, State], State],
        process: Process,
        score: Score,
        strength: float = 1.0,
    ) -> None:
        super().__init__()
        self.denoiser, self.process, self.score, self.strength = denoiser, process, score, strength

    def forward(self, x: State, t: Tensor, z: State) -> State:
        """Predict x0 from x_t as the denoiser does, moved.

        Parameters
        ----------
        x : State
            The noisy structures x_t.
        t : Tensor
            Times, (B,).
        z : State
            The symmetry-breaking input.

        Returns
        -------
        State
            The prediction of every field.

        Raises
        ------
        UserError
            For a score that returns something else than one finite number for each structure, or does not depend on
            the structures by way of differentiable operations.
        """
        if not self.strength:
            return self.denoiser(x, t, z)
        parts = {name: part for name, _, part in self.process.fields()}
        with torch.enable_grad():
            reals = {name: x[name].detach().requires_grad_() for name in parts if x[name].is_floating_point()}
            seen = x.with_values(**reals)
            out = self.denoiser(seen, t, z)
            clean = self.process.read(out, seen, t)
            schema, values, leaves = dict(clean.schema), dict(clean.values), {}
            for name in parts:
                field = self.process.schema[name]
                if isinstance(field, Categorical):
                    schema[name] = Logits(field.axes, field.classes, field.symmetric)
                    values[name] = leaves[name] = clean[name].detach().float().softmax(-1).requires_grad_()
            total = self._evaluate(State(clean.mask, schema, values))
            wanted = [*reals.values(), *leaves.values()]
            gradients = torch.autograd.grad(total.sum(), wanted, allow_unused=True)
        if all(gradient is None for gradient in gradients):
            raise UserError("--score: it does not depend on the structures by way of differentiable operations")
        moved = {name: value.detach() for name, value in out.values.items()}
        for name, gradient in zip([*reals, *leaves], gradients, strict=True):
            if gradient is None:
                continue
            field = self.process.schema[name]
            if name in leaves:
                gradient = gradient + gradient.transpose(1, 2) if field.symmetric else gradient
                moved[name] = moved[name] + self.strength * gradient.to(moved[name])
            else:
                value = parts[name].pull(name, clean[name].detach(), self.strength * gradient, t)
                every = torch.ones_like(value, dtype=torch.bool)
                moved[name] = parts[name].overwrite(name, clean, value, every, x, t).detach()
        return State(out.mask, out.schema, moved)

    def _evaluate(self, clean: State) -> Tensor:
        total = self.score(clean)
        if not isinstance(total, Tensor) or total.shape != (len(clean),) or not total.requires_grad:
            got = f"{tuple(total.shape)}" if isinstance(total, Tensor) else type(total).__name__
            raise UserError(f"--score: expected a differentiable tensor ({len(clean)},), one number each, got {got}")
        if not bool(total.isfinite().all()):
            raise UserError("--score: expected finite numbers, got others")
        return total
