"""A fragment that stays as it is while the rest of a structure is generated around it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from symdiff.groups.orthogonal import Orthogonal
from symdiff.processes.base import Process
from symdiff.processes.discrete import Discrete, surprise
from symdiff.processes.gaussian import Gaussian
from symdiff.processes.masked import Masked
from symdiff.random import Generator, uniform
from symdiff.state import State, extent, pad, support

SHARPNESS = 6.0
"""How many times as strongly the known pulls as its predicted law says, whose entries count as independent: what gave the most stable molecules."""
REACH = 4.0
"""The farthest that the rest is pulled in a step, in spreads of the noise."""
NEAR = 0.05
"""The error of a prediction without noise, in spreads of the data."""
CERTAIN = 80.0
"""The logit of what is known."""


def inpaint(
    process: Process,
    denoiser: Callable[[State, Tensor, State], State],
    x: State,
    z: State,
    known: State,
    steps: int,
    generator: Generator | None = None,
    particles: int = 1,
    progress: Callable[[], None] | None = None,
    sharpness: float = SHARPNESS,
) -> State:
    """Generate around what is ``known``, from noise ``x`` (with conditions, if any) at time 1 and z: one structure for every ``particles`` rows.

    ``known``: the process' fields of the first nodes, for every row. In every step but the first the denoiser sees what is known without
    its noise (``shown``); its prediction of the rest is moved up the gradient of log p(known | x_t) (``guided``), and that of the known is
    replaced (``told``) by the known itself, in the pose that lies nearest to its prediction (``aligned``); then the process
    steps as ever. Rows that stand for one structure, as ``particles``, are resampled where they differ much in log p(known | x_t),
    and one of them is drawn at the end. The result has the known where it was given, to the last digit, with its nodes first.

    An approximation of the conditional law, whatever ``particles``. Of two normal numbers with correlation 0.9 of which one is known, the
    mean of the other is off by 0.1 of its spread with ``sharpness`` 1, where replacement alone is off by 0.67; molecules, whose known atoms are
    far from independent given x_t, need more (numbers: ``benchmarks/inpainting3d.py``). Next to none of them were stable with
    replacement alone, its steps repeated or not (Lugmayr et al., RePaint,
    CVPR 2022, https://arxiv.org/abs/2201.09865): early on the rest does not see what it must fit, and later it no longer moves. The gradient is
    that of Chung et al. (Diffusion Posterior Sampling, ICLR 2023); particles with such weights are those of Wu et al. (Twisted
    Diffusion Sampler, NeurIPS 2023) without its correction for the proposal.

    Raises
    ------
    ValueError
        For more known nodes than there are, for no particles, and for ``Masked``, which can start from what is known itself.
    """
    parts = getattr(process, "parts", [process])
    if particles < 1 or any(isinstance(part, Masked) for part in parts):
        raise ValueError(f"expected at least one particle and no part that is Masked, got {particles} and {[type(part).__name__ for part in parts]}")
    if bool((known.num_nodes > x.num_nodes).any()):
        raise ValueError(f"expected structures as large as what is known, got {known.num_nodes.tolist()} nodes in {x.num_nodes.tolist()}")
    known = pad(known, x.mask.shape[1])
    times = process.times(steps).float().to(x.device)
    given, turn, before, weight = None, None, 0.0, torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for t, s in zip(times[:-1], times[1:], strict=True):
        t, s = t.expand(len(x)), s.expand(len(x))
        seen = x if given is None else shown(process, x, given, t)  # noise alone has no room for what is known
        out, fit = guided(process, denoiser, seen, z, known, given, t, sharpness)
        weight, before = weight + fit - before, fit
        if particles > 1:
            rows, weight = resampled(weight.view(-1, particles), generator)
            x, z, out, before = x.select(rows), z.select(rows), out.select(rows), before[rows]
        given, turn = aligned(process, known, out)
        x = process.step(x, told(process, out, x, given, t), t, s, generator)
        if progress is not None:
            progress()
    if turn is not None:
        space, element = turn
        x = space.act(space.inverse(element), x)
    x = returned(process, x, known)
    return x if particles == 1 else x.select(drawn(weight.view(-1, particles), generator))


def shown(process: Process, x: State, known: State, t: Tensor) -> State:
    """x as the denoiser shall see it: what is known without noise, vectors that are centered around where they are in x."""
    values = {}
    for part in getattr(process, "parts", [process]):
        for name in part.schema:
            value = known[name].to(x[name])
            if isinstance(part, Gaussian):
                value = part.schedule.levels(t)[0].to(value).view(-1, *[1] * (value.ndim - 1)) * value
            values[name] = torch.where(_there(name, process, known), _moved(name, process, value, x[name], known), x[name])
    return x.with_values(**values)


def guided(
    process: Process, denoiser: Callable[[State, Tensor, State], State], x: State, z: State, known: State, given: State | None, t: Tensor, sharpness: float
) -> tuple[State, Tensor]:
    """The prediction of x0, reals of the rest moved by ``sharpness`` (b²/a) ∇ log p(known | x_t), and that log p, (B,) float64.

    With sharpness 1 the move is that of Tweedie's formula for x_t given the known. Reals count as normal around their prediction, with
    the spread that they have by their own noise, and the known stands as in ``given``, or, with None, nearest to the prediction. No entry moves farther than ``REACH`` spreads of the noise.
    """
    gaussians = [part for part in getattr(process, "parts", [process]) if isinstance(part, Gaussian)]
    names = [name for part in gaussians for name in part.schema]
    with torch.enable_grad():
        leaves = {name: x[name].detach().requires_grad_() for name in names}
        seen = x.with_values(**leaves)
        out = denoiser(seen, t, z)
        for part in gaussians:
            out = part.read(out, seen, t)
        labels, reals = likelihood(process, out, aligned(process, known, out)[0] if given is None else given, t)
        total = sharpness * (labels + reals).sum()
        pull = [torch.zeros_like(x[name]) for name in names]
        if total.requires_grad and names:
            pull = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
    values = {name: value.detach() for name, value in out.values.items()}
    for part in gaussians:
        for name, field in part.schema.items():
            a, b = (level.to(x[name]).view(-1, *[1] * (x[name].ndim - 1)) for level in part.schedule.levels(t))
            move = torch.where(_there(name, process, known), 0.0, b.square() / a.clamp_min(0.1) * pull[names.index(name)])
            length = move.flatten(-len(field.trailing)).norm(dim=-1).view(*move.shape[: -len(field.trailing)], *[1] * len(field.trailing))
            values[name] = values[name].to(x[name]) + move * (REACH * b / length.clamp_min(1e-12)).clamp_max(1)
    return State(out.mask, out.schema, values), (labels + reals).detach()


def likelihood(process: Process, out: State, known: State, t: Tensor) -> tuple[Tensor, Tensor]:
    """log p(known | x_t) of labels and of reals, up to a constant of t, the sums over their entries: twice (B,) float64."""
    labels = reals = torch.zeros(len(known), dtype=torch.float64, device=known.device)
    for part in getattr(process, "parts", [process]):
        for name, field in part.schema.items():
            if isinstance(part, Discrete):
                entries = torch.where(support(field, known.mask), surprise(out[name], known[name]), 0.0)
                labels = labels - entries.flatten(1).sum(1)
            elif field.axes != "whole":
                a, b = part.schedule.levels(t)
                spread = part.schedule.spread
                variance = (b * spread).square() / ((a * spread).square() + b.square()) + (NEAR * spread) ** 2
                guess = out[name].double()
                gap = torch.where(_there(name, process, known), guess - _moved(name, process, known[name].to(guess), guess, known), 0.0)
                reals = reals - 0.5 * gap.square().flatten(1).sum(1) / variance
    return labels, reals


def told(process: Process, out: State, x: State, known: State, t: Tensor) -> State:
    """The prediction ``out`` of x0 as the process reads it, with what is known in its place."""
    values = {}
    for part in getattr(process, "parts", [process]):
        for name, field in part.schema.items():
            there = _there(name, process, known)
            if isinstance(part, Gaussian):
                value = torch.where(there, _moved(name, process, known[name].to(out[name]), out[name], known), out[name])
                values[name] = part.said(name, value, x, t)
            else:
                sure = CERTAIN * functional.one_hot(known[name], field.classes).to(out[name])
                values[name] = torch.where(there[..., None], sure, out[name])
    return out.with_values(**values)


def aligned(process: Process, known: State, out: State) -> tuple[State, tuple[Orthogonal, Tensor] | None]:
    """What is known, turned so that it lies nearest to where it is predicted (Kabsch, 1976), and the rotation; None without centered vectors."""
    names = sorted(_centered(process))
    if not names:
        return known, None
    present, covariance = known.mask[:, :, None, None], 0.0
    for name in names:
        mine, theirs = (torch.where(present, value - _center(value, known), 0.0) for value in (known[name].double(), out[name].detach().double()))
        covariance = covariance + torch.einsum("bnda,bndc->bac", theirs, mine)
    u, _, v = torch.linalg.svd(covariance)
    sign = torch.ones_like(u[:, 0])
    sign[:, -1] = torch.linalg.det(u @ v)
    turn = (u * sign[:, None]) @ v
    space = Orthogonal(turn.shape[-1], special=True)
    return space.act(turn, known), (space, turn)


def returned(process: Process, x: State, known: State) -> State:
    """x moved as a whole so that the known part is where it was given, to the last digit."""
    values = {}
    for name in _centered(process):
        moved = torch.where(x.mask[:, :, None, None], x[name] + _center(known[name].to(x[name]), known) - _center(x[name], known), 0.0)
        values[name] = torch.where(_there(name, process, known), known[name].to(moved), moved)
    return x.with_values(**values)


def resampled(weight: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Rows to go on with, (B·P,), and their log weights, (B·P,), for log weights (B, P) of the particles of B structures.

    Systematic: a particle of share w of its structure's weight has P·w successors, rounded up or down at random; where the weights
    are worth half as many equal ones or more, all stay (Del Moral, Doucet, Jasra, 2006).
    """
    count, particles = weight.shape
    share = weight.softmax(1)
    start = _one(weight, generator)
    place = (torch.arange(particles, device=weight.device) + start) / particles
    heap = (share.cumsum(1) / share.sum(1, keepdim=True)).contiguous()
    chosen = torch.searchsorted(heap, place).clamp_max(particles - 1)
    poor = 1 / share.square().sum(1, keepdim=True) < particles / 2
    chosen = torch.where(poor, chosen, torch.arange(particles, device=weight.device))
    rows = chosen + particles * torch.arange(count, device=weight.device)[:, None]
    return rows.flatten(), torch.where(poor, 0.0, weight).flatten()


def drawn(weight: Tensor, generator: Generator | None = None) -> Tensor:
    """One row for each structure, (B,), by log weights (B, P)."""
    heap = weight.softmax(1).cumsum(1)
    chosen = torch.searchsorted(heap.contiguous(), _one(weight, generator) * heap[:, -1:]).clamp_max(weight.shape[1] - 1)
    return chosen[:, 0] + weight.shape[1] * torch.arange(len(weight), device=weight.device)


def _one(weight: Tensor, generator: Generator | None) -> Tensor:
    """A uniform number for each structure, (B, 1), from the stream of its first particle."""
    return uniform((weight.numel(), 1), generator, weight)[:: weight.shape[1]]


def _there(name: str, process: Process, known: State) -> Tensor:
    """The known entries of a field, with the axes of its values."""
    field = process.schema[name]
    entries = torch.zeros_like(known.mask[:, 0]) if field.axes == "whole" else extent(field, known.mask)
    return entries.view(*entries.shape, *[1] * len(field.trailing))


def _moved(name: str, process: Process, value: Tensor, place: Tensor, known: State) -> Tensor:
    """``value`` moved so that the known nodes have the center that they have in ``place``, where translations are divided out."""
    return value + _center(place, known) - _center(value, known) if name in _centered(process) else value


def _centered(process: Process) -> set[str]:
    return {name for part in getattr(process, "parts", [process]) for name in getattr(part, "centered", ())}


def _center(value: Tensor, known: State) -> Tensor:
    """The mean of vectors over the known nodes, (B, 1, dim, vector)."""
    present = known.mask[:, :, None, None]
    return torch.where(present, value, 0.0).sum(1, keepdim=True) / present.sum(1, keepdim=True).clamp_min(1)
