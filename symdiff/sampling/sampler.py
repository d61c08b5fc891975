"""How what is wanted is sampled: the trajectory from noise to structures, and the only loop along it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.errors import UserError
from symdiff.random import Generator, Streams
from symdiff.sampling.request import Request
from symdiff.state import State

MAX_STEPS = 100_000


@dataclass(frozen=True)
class Trajectory:
    """A batch of trajectories, as far as they have come.

    Parameters
    ----------
    x : State
        x_t, with the given fields; at the end the structures.
    z : State
        What breaks their symmetries, drawn once.
    log_weights : Tensor, optional
        (B,) float64, for samplers that weigh.
    """

    x: State
    z: State
    log_weights: Tensor | None = None


class Sampler(ABC):
    """Samples a model.

    ``sampler(request)`` draws z and noise (``init``), steps from t = 1 down to 0 (``step``), and ends (``finish``).

    Parameters
    ----------
    diffusion : Diffusion
        The model. To guide it, wrap its denoiser (``Guided``).
    steps : int
        The number of evaluations of the network.

    Raises
    ------
    UserError
        For a number of steps out of range.
    """

    particles = 1
    """Trajectories for each structure, behind each other; ``finish`` leaves one of them."""
    differentiable = False
    """Whether the result is differentiable in the weights of the network."""

    def __init__(self, diffusion: Diffusion, steps: int) -> None:
        if not 1 <= steps <= MAX_STEPS:
            raise UserError(f"steps: expected 1 to {MAX_STEPS:,}, got {steps}")
        self.diffusion, self.steps = diffusion, steps

    @abstractmethod
    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw the beginning of every trajectory, at t = 1.

        Parameters
        ----------
        request : Request
            Structures of decided sizes, B of them.
        generator : Generator, optional
            The source of randomness, a stream for every structure.

        Returns
        -------
        Trajectory
            B rows.

        Raises
        ------
        UserError, ValueError
            For what the model, or this sampler, cannot do.
        """

    @abstractmethod
    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Go from t to s <= t.

        Parameters
        ----------
        path : Trajectory
            What ``init`` or the last step returned.
        t, s : Tensor
            (B,) times.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        Trajectory
            At time s.
        """

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Trajectory:
        """Turn what is there at t = 0 into structures: they are there already unless a subclass says otherwise.

        Parameters
        ----------
        path : Trajectory
            At t = 0, with the given and the generated fields alone.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        Trajectory
            One row for each structure that was asked for.
        """
        return path

    def __call__(
        self, request: Request, generator: Generator | None = None, progress: Callable[[], None] | None = None
    ) -> Trajectory:
        """Sample what is wanted: ``x`` of the result has the given fields and the generated ones.

        Parameters
        ----------
        request : Request
            Structures whose sizes are decided.
        generator : Generator, optional
            Random numbers, a stream for every structure; those of the request where none are given.
        progress : callable, optional
            Called after every step.

        Returns
        -------
        Trajectory
            ``x`` has the given fields and the generated ones, a row for each structure.

        Raises
        ------
        ValueError
            For what the model, or this sampler, cannot do.
        """
        generator = request.streams if generator is None else generator
        if self.particles > 1:
            request = request.part(torch.arange(request.count).repeat_interleave(self.particles))
            generator = generator.split(self.particles) if isinstance(generator, Streams) else generator
        process = self.diffusion.process
        with torch.set_grad_enabled(self.differentiable):
            path = self.init(request, generator)
            times = process.times(self.steps).float().to(path.x.device)  # in this order: not every device has float64
            for t, s in zip(times[:-1], times[1:], strict=True):
                path = self.step(path, t.expand(len(path.x)), s.expand(len(path.x)), generator)
                if progress is not None:
                    progress()
            schema = {**(request.condition.schema if request.condition is not None else {}), **process.schema}
            x = State(path.x.mask, schema, {name: path.x[name] for name in schema})
            return self.finish(replace(path, x=x), generator)

    def start(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw noise, and z given the conditions: where most trajectories begin.

        Parameters
        ----------
        request : Request
            Structures of decided sizes, B of them.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        Trajectory
            At t = 1.
        """
        condition = self.condition(request)
        x = self.diffusion.process.prior(request.mask, generator)
        z = self.diffusion.draw(condition, x, generator)
        return Trajectory(x if condition is None else x.with_values(condition.schema, **condition.values), z)

    @staticmethod
    def condition(request: Request) -> State | None:
        """Return the given fields of every structure; those of whole structures have no mask of their own.

        Parameters
        ----------
        request : Request
            Structures of decided sizes.

        Returns
        -------
        State or None
            With the request's mask; None without a condition.
        """
        condition = request.expand(request.condition)
        return None if condition is None else replace(condition, mask=request.mask)
