"""Importance weights, by which samples of a model count as those of a distribution that is known up to its norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from symdiff.breaking.sympe import SymPE
from symdiff.canonical.sites import Sites
from symdiff.diffusion import Diffusion
from symdiff.errors import UserError
from symdiff.groups.finite import Numbered
from symdiff.random import Generator, uniform
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.state import State


@dataclass(frozen=True)
class Weighted:
    """Sampled structures and their importance weights, whose mean estimates Σ_x f(x) without bias.

    Parameters
    ----------
    x : State
        The structures, B rows.
    log_weights : Tensor
        (B,): log of f(x) over their density under the model, -inf where f(x) is 0.
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
        return effective(self.log_weights)

    def chain(self, generator: Generator | None = None) -> Tensor:
        """Run a Markov chain with the distribution f / Σf through the samples.

        Each sample in turn is proposed, and accepted with probability min(1, w/w'). Where all weights are alike the
        samples stay as they are; a rejected one is replaced by the row before. The first row is the first sample that
        has weight.

        Parameters
        ----------
        generator : Generator, optional
            Uniform numbers for the acceptances.

        Returns
        -------
        Tensor
            (B,) int64, the rows of ``x`` at which the chain is.
        """
        chance = uniform((len(self.log_weights),), generator, self.log_weights)
        first = int((self.log_weights > -math.inf).to(torch.uint8).argmax())
        chosen = accept(self.log_weights, chance, float(self.log_weights[first]))
        return torch.where(chosen < 0, first, chosen)

    def mean(self, values: Tensor) -> float:
        """Estimate the mean of a quantity under f / Σf.

        Parameters
        ----------
        values : Tensor
            (B,), the quantity of every structure.

        Returns
        -------
        float
            In the unit of ``values``.
        """
        return float(self.log_weights.softmax(0) @ values.double())


def effective(log_weights: Tensor) -> float:
    """Count the equally weighted samples that are worth as much: (Σw)² / Σw².

    Parameters
    ----------
    log_weights : Tensor
        (B,), log w, -inf where a weight is 0.

    Returns
    -------
    float
        Between 1 and B.

    References
    ----------
    Kong, Liu, Wong: Sequential Imputations and Bayesian Missing Data Problems (JASA 89, 1994).
    """
    w = (log_weights - log_weights.max()).exp()
    return float(w.sum() ** 2 / (w * w).sum())


def accept(log_weights: Tensor, chance: Tensor, log_weight: float) -> Tensor:
    """Run a Markov chain whose proposals are independent of where it is.

    A proposal is accepted with probability min(1, w/w').

    Parameters
    ----------
    log_weights : Tensor
        (B,), log w of the proposals.
    chance : Tensor
        (B,), uniform in (0, 1): where w/w' is larger the proposal is accepted.
    log_weight : float
        log w where the chain begins.

    Returns
    -------
    Tensor
        (B,) int64, the proposal at which the chain is after each; −1 for where it began.

    References
    ----------
    Liu: Metropolized Independent Sampling with Comparisons to Rejection Sampling and Importance Sampling (Statistics
    and Computing 6, 1996).
    """
    current, rows = -1, []
    for row, (one, u) in enumerate(zip(log_weights.tolist(), chance.tolist(), strict=True)):
        if one >= log_weight or u < math.exp(one - log_weight):
            current, log_weight = row, one
        rows.append(current)
    return torch.tensor(rows)


class Importance(Sampler):
    """Sample the model, and weigh every structure by exp ``log_density`` over the model's own density.

    The result has the ``log_weights``, -inf where a weight is 0. The model draws z, an order σ of revealing, and x; its
    density of the three is known. That of the target is f(x) p(σ) r(z | x), where r is the breaker's own distribution
    of z given x: for SymPE uniform on the coset γ(x)·Stab(x). So a sample whose z is not one that canonicalization
    would have drawn for it has weight 0, and the mean weight is without bias.

    Parameters
    ----------
    diffusion : Diffusion
        A model whose process reveals.
    steps : int
        The number of evaluations of the network.
    log_density : callable or None
        log f of structures with their conditions, (B,), up to a constant; None where it is not known.
    differentiable : bool
        Whether the weights are differentiable in those of the network, for the labels as drawn.

    Raises
    ------
    UserError
        For a density that is not known, and for a process that does not reveal.
    ValueError
        When weights are drawn with SymPE that is not anchored in the data, or something is known of the structures.
    """

    def __init__(
        self,
        diffusion: Diffusion,
        steps: int,
        log_density: Callable[[State], Tensor] | None,
        differentiable: bool = False,
    ) -> None:
        super().__init__(diffusion, steps)
        if log_density is None:
            raise UserError(
                "importance weights need a distribution that is known, as that of spins at a temperature; this "
                "model's is known from data only"
            )
        if not diffusion.process.reveals:
            raise UserError(
                "importance weights need a model with the process Masked, this one has "
                f"{type(diffusion.process).__name__}"
            )
        self.log_density, self.differentiable = log_density, differentiable

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw noise and z, with log weights of 0.

        Raises
        ------
        UserError
            For a request with a known part.
        """
        if request.known is not None:
            raise UserError("importance weights are of the model's own distribution, so nothing may be fixed")
        path = self.start(request, generator)
        return Trajectory(path.x, path.z, torch.zeros(len(path.x), dtype=torch.float64))

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Take the process's step, and subtract log p of the labels that it shows from the log weights."""
        assert path.log_weights is not None
        process = self.diffusion.process
        out = self.diffusion.denoiser(path.x, t, path.z)
        x = process.step(path.x, out, t, s, generator)
        return Trajectory(x, path.z, path.log_weights - process.log_probability(path.x, x, out))

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Trajectory:
        """Add log f(x) and the log-probability of z given x."""
        assert path.log_weights is not None
        target = self.log_density(path.x.to("cpu")).double() + _log_share(self.diffusion.breaker, path.x, path.z)
        return Trajectory(path.x, path.z, target + path.log_weights)


def _log_share(breaker, x: State, z: State) -> Tensor:
    """log r(z | x) − log p(z), (B,) float64."""
    if not isinstance(breaker, SymPE) or breaker.anchor == "none":
        return torch.zeros(len(x), dtype=torch.float64)  # z is drawn regardless of x
    if breaker.anchor != "data":
        raise ValueError("importance weights need a breaker that is anchored in the data, or in nothing")
    canonicalizer = breaker.canonicalizer
    if not isinstance(canonicalizer, Sites):
        raise ValueError(f"importance weights need canonical forms by Sites, got {type(canonicalizer).__name__}")
    rows, numbers = canonicalizer.minimizers(x)
    nodes, group = x.mask.shape[1], canonicalizer.group
    assert isinstance(group, Numbered)
    images = group.act(group.from_number(numbers, nodes), breaker.code(x.mask[rows]))
    same = torch.stack([(images[name] == z[name][rows]).flatten(1).all(1) for name in z.schema]).all(0)
    hits = torch.zeros(len(x), dtype=torch.bool, device=rows.device).index_put(
        (rows[same],), torch.tensor(True, device=rows.device)
    )
    size = torch.bincount(rows, minlength=len(x)).double()
    return torch.where(hits, math.log(group.count(nodes)) - size.log(), -math.inf).cpu()
