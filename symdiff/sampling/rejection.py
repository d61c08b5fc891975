"""Structures that have what is wanted: others are sampled again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from symdiff.errors import UserError
from symdiff.random import Generator, Streams
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.state import State

MOST = 10_000
"""Attempts for a structure."""
SEVERAL = 256
"""Structures that are sampled together, at least, where few are left."""


class Rejection(Sampler):
    """Sample until a structure is accepted: exactly the other sampler's distribution, given that it is accepted.

    The attempts of a structure are numbered, each with random numbers of its own, and the first that is accepted is
    taken: it depends neither on what it is sampled together with, nor on how many attempts are made at once.

    Parameters
    ----------
    sampler : Sampler
        Whose structures are accepted or not.
    accept : callable
        Which structures of a batch are wanted: a function of a State that returns (B,) bool.
    what : str
        What is wanted, in words, for messages.
    most : int
        Attempts for a structure, after which it is given up.
    """

    def __init__(
        self, sampler: Sampler, accept: Callable[[State], Tensor], what: str = "what is wanted", most: int = MOST
    ) -> None:
        super().__init__(sampler.diffusion, sampler.steps)
        self.sampler, self.accept, self.what, self.most = sampler, accept, what, most

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Raise UserError: attempts are whole trajectories, of which no one knows on the way which is taken."""
        raise UserError(f"{self.what}: structures that are sampled until one is accepted have no trajectory to show")

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Raise UserError, as ``init``."""
        raise UserError(f"{self.what}: structures that are sampled until one is accepted have no trajectory to show")

    def __call__(
        self, request: Request, generator: Generator | None = None, progress: Callable[[], None] | None = None
    ) -> Trajectory:
        """Sample what is wanted.

        Parameters
        ----------
        request : Request
            Structures whose sizes are decided.
        generator : Streams, optional
            Random numbers, a stream for every structure; those of the request where none are given.
        progress : callable, optional
            Called as often as the other sampler would, but after the last attempts only.

        Raises
        ------
        UserError
            Where no attempt for a structure is accepted.
        """
        streams = request.streams if generator is None else generator
        if not isinstance(streams, Streams):
            raise ValueError("rejection needs a stream of random numbers for every structure")
        distinct, copies = _distinct(streams.keys.cpu())
        left, tried, taken, accepted = distinct, 0, {}, 0
        while len(left):
            if tried >= self.most:
                raise UserError(
                    f"{self.what}: {accepted} of {len(distinct)} structures were found in {self.most:,} attempts each; "
                    "the model makes too few of them"
                )
            several = max(1, min(SEVERAL // len(left), self.most - tried))
            rows = left.repeat_interleave(several)
            numbers = torch.arange(tried, tried + several).repeat(len(left))
            path = self.sampler(request.part(rows), streams.select(rows).branch(numbers))
            good = self.accept(path.x).cpu().view(len(left), several)
            found = torch.nonzero(good.any(1))[:, 0]
            for place in found.tolist():
                at = place * several + int(good[place].long().argmax())
                taken[int(left[place])] = (path.x.select([at]), path.z.select([at]))
            accepted += len(found)
            left, tried = left[~good.any(1)], tried + several
        if progress is not None:
            for _ in range(self.steps):
                progress()
        pairs = [taken[row] for row in distinct[copies].tolist()]
        return Trajectory(_join([x for x, _ in pairs]), _join([z for _, z in pairs]))


def _distinct(keys: Tensor) -> tuple[Tensor, Tensor]:
    """The rows with random numbers of their own, and for every row its place among them: others are copies."""
    values, copies = keys.unique(return_inverse=True)
    first = torch.full((len(values),), len(keys)).scatter_reduce(0, copies, torch.arange(len(keys)), "amin")
    return first, copies


def _join(states: list[State]) -> State:
    """Structures of one width, one behind the other."""
    first = states[0]
    values = {name: torch.cat([state[name] for state in states]) for name in first.schema}
    return replace(first, mask=torch.cat([state.mask for state in states]), values=values)
