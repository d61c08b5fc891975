"""Muon in full precision."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class PreciseMuon(torch.optim.Muon):
    """PyTorch's Muon, with the orthogonalization in the type of the gradient instead of bfloat16.

    For trainings in float32: bfloat16 rounds the sums that several processes, or another order of summation, give to
    three digits, so that a difference in the last digit of a gradient grows to one in the third of a step.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take one step on the gradients; a parameter without one stays.

        Parameters
        ----------
        closure : None
            Not taken: the loss was evaluated before.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                momentum = self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter.grad))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalize(
                    parameter.grad.lerp(momentum, group["momentum"]),
                    group["ns_coefficients"],
                    group["ns_steps"],
                    group["eps"],
                )
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(
                    update, alpha=-group["lr"] * 0.2 * math.sqrt(max(parameter.shape))
                )  # of the size of AdamW's steps


def orthogonalize(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Push the singular values of a matrix near 1 by Newton-Schulz iteration, its singular vectors as they are.

    Parameters
    ----------
    matrix : Tensor
        (m, n).
    coefficients : tuple of float
        Of the odd polynomial of degree 5 that is iterated.
    steps : int
        Iterations.
    eps : float
        The least norm that the matrix is divided by.

    Returns
    -------
    Tensor
        (m, n), in the type of ``matrix``.

    References
    ----------
    Jordan et al.: Muon: An Optimizer for Hidden Layers in Neural Networks (2024,
    https://kellerjordan.github.io/posts/muon).
    """
    a, b, c = coefficients
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if matrix.shape[0] > matrix.shape[1] else x
