"""A scaffold that stays as it is, while a labeled graph is generated around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace

import torch
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.errors import UserError
from symdiff.groups.permutations import permute_nodes
from symdiff.random import Generator, uniform
from symdiff.sampling.particles import pick, resample
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.state import Categorical, State, pad, support

OPEN = "open"
"""The field of a scaffold that says at which nodes the rest may be attached: 1, else 0."""


@dataclass(frozen=True)
class _Built(Trajectory):
    """Trajectories around a scaffold.

    Parameters
    ----------
    known
        The scaffold, padded to the structures.
    there
        Of every field the entries that are known, bool.
    fit
        (B,) float64: the log-likelihood of the scaffold so far.
    """

    _: KW_ONLY
    known: State
    there: Mapping[str, Tensor]
    fit: Tensor


class Scaffolding(Sampler):
    """Generate around a scaffold: the first nodes of every structure are the request's ``known``, exactly.

    Known are the labels of the scaffold's nodes and pairs, and that its nodes which are not open have no edge to
    any other. Where z names the nodes, which of its names the scaffold gets is drawn first: node after node, in
    proportion to the likelihood that the network gives to its labels at t = 1. In every step the known labels are
    put into the prediction, so that they go the way from noise that they would go in training. With
    several particles those are
    resampled by the likelihood of the scaffold, and one is drawn at the end.

    What is fixed is exact in every sample; the distribution of the rest approximates the conditional one, the better
    the more particles.

    Parameters
    ----------
    diffusion : Diffusion
        A model of labels.
    steps : int
        The number of evaluations of the network, and one more.
    particles : int
        Candidates for each structure.

    Raises
    ------
    UserError
        For a model of other fields than labels.
    """

    def __init__(self, diffusion: Diffusion, steps: int, particles: int = 1) -> None:
        super().__init__(diffusion, steps)
        if not all(isinstance(field, Categorical) for field in diffusion.process.schema.values()):
            raise UserError("a scaffold is fixed in graphs of labels; this model has other fields")
        self.particles = particles

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw noise and z, and which of the names of nodes the scaffold gets."""
        path, known = self.start(request, generator), request.expand(request.known)
        if known is None:
            raise ValueError("expected a known part, got none")
        known = pad(known, path.x.mask.shape[1])
        weights = torch.zeros(len(path.x), dtype=torch.float64, device=path.x.device)
        fit = weights
        if any(field.axes == "node" for field in path.z.schema.values()):
            g, weights, fit = self._place(path, known, generator)
            path = Trajectory(permute_nodes(g, path.x), permute_nodes(g, path.z))
        return _Built(path.x, path.z, weights, known=known, there=self._entries(known, path.x.mask), fit=fit)

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Step with the scaffold in the prediction; with several particles, resample them first."""
        assert isinstance(path, _Built) and path.log_weights is not None
        x, z, known, process = path.x, path.z, path.known, self.diffusion.process
        out = process.read(self.diffusion.denoiser(x, t, z), x, t)
        fit = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for name, field in process.schema.items():
            share = out[name].double().log_softmax(-1).gather(-1, known[name][..., None])[..., 0]
            fit = fit + torch.where(path.there[name] & support(field, x.mask), share, 0.0).flatten(1).sum(1)
        log_weights = path.log_weights + fit - path.fit
        if self.particles > 1:
            rows, log_weights = resample(log_weights.view(-1, self.particles), generator)
            x, z, out, fit = x.select(rows), z.select(rows), out.select(rows), fit[rows]
        parts = {name: part for name, _, part in process.fields()}
        put = {name: parts[name].overwrite(name, out, known[name], path.there[name], x, t) for name in process.schema}
        return replace(
            path, x=process.step(x, out.with_values(**put), t, s, generator), z=z, log_weights=log_weights, fit=fit
        )

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Trajectory:
        """Take one of the particles, with the scaffold as it was given."""
        assert isinstance(path, _Built) and path.log_weights is not None
        values = {
            name: torch.where(path.there[name], path.known[name], path.x[name])
            for name in self.diffusion.process.schema
        }
        x, z = path.x.with_values(**values), path.z
        if self.particles > 1:
            rows = pick(path.log_weights.view(-1, self.particles), generator)
            x, z = x.select(rows), z.select(rows)
        return Trajectory(x, z)

    def _entries(self, known: State, mask: Tensor) -> dict[str, Tensor]:
        """The known entries of every field: a node that is not open has no edge to the others."""
        mine, closed = known.mask, known.mask & (known[OPEN] == 0)
        others = mask & ~mine
        pairs = mine[:, :, None] & mine[:, None, :]
        cut = closed[:, :, None] & others[:, None, :]
        every = {"node": mine, "pair": pairs | cut | cut.transpose(1, 2)}
        return {name: every[field.axes] for name, field in self.diffusion.process.schema.items()}

    def _place(self, path: Trajectory, known: State, generator: Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Which node of the noise each of the scaffold's is, as preimages (B, N); weights, and the log-likelihood."""
        x, process = path.x, self.diffusion.process
        t = torch.ones(len(x), device=x.device)
        out = process.read(self.diffusion.denoiser(x, t, path.z), x, t)
        shares = {name: out[name].double().log_softmax(-1) for name in process.schema}
        count, rows = int(known.num_nodes.max()), torch.arange(len(x), device=x.device)
        free, chosen = x.mask.clone(), []
        weights = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        fit = weights.clone()
        for j in range(count):
            score = torch.where(free, 0.0, -torch.inf).double()
            for name, field in process.schema.items():
                if field.axes == "node":
                    score = score + shares[name][rows, :, known[name][:, j]]
                for before, place in enumerate(chosen):
                    if field.axes == "pair":
                        score = score + shares[name][rows, :, place, known[name][:, j, before]]
            noise = -(-uniform(tuple(score.shape), generator, score).log()).log()
            place = (score + noise).argmax(1)
            weights, fit = weights + score.logsumexp(1), fit + score[rows, place]
            free = free & ~torch.nn.functional.one_hot(place, free.shape[1]).bool()
            chosen.append(place)
        order = torch.where(x.mask, 1, 2).double() + torch.arange(x.mask.shape[1], device=x.device) * 1e-6
        for j, place in enumerate(chosen):
            order[rows, place] = j / (count + 1)
        return order.argsort(1), weights, fit
