"""Trajectories that are kept: what a structure looked like on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.random import Generator
from symdiff.sampling.batches import fill_up
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.sampling.samples import Samples
from symdiff.state import Categorical, State

FRAMES = 50


@dataclass(frozen=True)
class Recording(Trajectory):
    """A trajectory with what it was.

    Parameters
    ----------
    frames : tuple of State
        x_t from noise to the structures, which are the last; labels that are hidden still are one more than there are.
    inner : Trajectory, optional
        The trajectory of the sampler that is recorded.
    """

    frames: tuple[State, ...] = ()
    inner: Trajectory | None = None


class Recorded(Sampler):
    """Samples as another sampler does, and keeps the states on the way.

    Nothing is drawn for it, so the structures are those of the other sampler.

    Parameters
    ----------
    sampler : Sampler
        Which samples structures, not latents, one trajectory each.
    frames : int
        States that are kept, evenly over the steps: the first, the last and at most so many in all.

    Raises
    ------
    UserError
        For fewer than two frames, several particles, and a process whose states are no structures.
    """

    def __init__(self, sampler: Sampler, frames: int = FRAMES) -> None:
        super().__init__(sampler.diffusion, sampler.steps)
        process = sampler.diffusion.process
        if frames < 2:
            raise UserError(f"frames: expected at least 2, got {frames}")
        if sampler.particles > 1:
            raise UserError(f"expected one particle for a trajectory, got {sampler.particles}")
        if {*process.noisy_schema()} != {*process.schema}:
            raise UserError(f"{type(process).__name__} predicts in one step, there is no trajectory to record")
        self.sampler, self.frames, self.differentiable = sampler, frames, sampler.differentiable

    def init(self, request: Request, generator: Generator | None = None) -> Recording:
        """Begin as the other sampler does, and keep its noise."""
        inner = self.sampler.init(request, generator)
        return Recording(inner.x, inner.z, inner.log_weights, (inner.x,), inner)

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Recording:
        """Step as the other sampler does, and keep its state."""
        assert isinstance(path, Recording) and path.inner is not None
        inner = self.sampler.step(path.inner, t, s, generator)
        return Recording(inner.x, inner.z, inner.log_weights, (*path.frames, inner.x), inner)

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Recording:
        """Finish as the other sampler does, and thin the states out to ``frames``, the finished structure last."""
        assert isinstance(path, Recording) and path.inner is not None
        inner = self.sampler.finish(replace(path.inner, x=path.x), generator)
        states = (*path.frames[:-1], inner.x)
        count = min(self.frames, len(states))
        kept = torch.linspace(0, len(states) - 1, count, dtype=torch.float64).round().long().tolist()
        return Recording(inner.x, inner.z, inner.log_weights, tuple(states[place] for place in kept), inner)


def record(sampler: Recorded, domain: Domain, batches: Sequence[Request], device: torch.device) -> list[Samples]:
    """Sample planned batches, and return every frame as samples of its own, the structures last.

    Parameters
    ----------
    sampler : Recorded
        Which samples and keeps the states.
    domain : Domain
        What the structures are.
    batches : sequence of Request
        As ``plan`` makes them.
    device : torch.device
        Where the networks of the sampler are.

    Returns
    -------
    list of Samples
        One for each frame.

    Raises
    ------
    UserError
        For structures that the model cannot have, and for states that are none of the domain's.
    """
    recordings = []
    for batch in batches:
        try:
            path = sampler(fill_up(batch).to(device))
        except UserError:
            raise
        except ValueError as error:
            raise UserError(f"cannot sample structures of up to {batch.nodes} nodes: {error}") from error
        assert isinstance(path, Recording)
        recordings.append(
            [_without_hidden_pairs(x.select(slice(0, batch.count)).to("cpu"), domain) for x in path.frames]
        )
    rows = [batch.numbers for batch in batches]
    return [Samples(domain, states, rows) for states in zip(*recordings, strict=True)]


def _without_hidden_pairs(x: State, domain: Domain) -> State:
    """The state with no edge where a label of a pair is hidden."""
    shown, schema = {}, {}
    for name, field in domain.schema.items():
        if name in x.schema and isinstance(field, Categorical) and field.axes == "pair":
            shown[name], schema[name] = torch.where(x[name] < field.classes, x[name], 0), field
    return x.with_values(schema, **shown)
