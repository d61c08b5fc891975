"""A Markov chain through weighted samples, block after block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from symdiff.errors import UserError
from symdiff.random import Streams, uniform
from symdiff.sampling.importance import accept, effective
from symdiff.sampling.request import CHAIN
from symdiff.sampling.samples import Samples
from symdiff.state import State, collate


class Chain:
    """A Markov chain with the distribution that the domain knows: samples of ``Importance`` are its proposals.

    Row r depends on the samples up to r alone: a rejected one is replaced by the row before, and those before the first
    sample that has weight by that one.

    Parameters
    ----------
    seed : int
        Of the acceptances.

    References
    ----------
    Liu, Metropolized independent sampling, Statistics and Computing 6, 1996.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.log_weights: list[Tensor] = []
        self._current: State | None = None
        self._log_weight = -math.inf

    @property
    def effective_share(self) -> float:
        """How many independent samples those so far count as, for each of them."""
        log_weights = torch.cat(self.log_weights)
        return effective(log_weights) / len(log_weights)

    def __call__(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Run the chain through the samples of consecutive blocks.

        Parameters
        ----------
        blocks : iterable of Samples
            With log weights, all under one condition.

        Yields
        ------
        Samples
            The states of the chain for the rows of each block, without weights; blocks before the first sample of
            positive weight come late, together.

        Raises
        ------
        UserError
            When the samples have not all one condition: they are then proposals for several distributions.
        ValueError
            For samples without weights.
        """
        waiting: list[Samples] = []
        for samples in blocks:
            weighted = samples.weigh()
            self.log_weights.append(weighted.log_weights)
            self._check(samples, weighted.x)
            if self._current is None and bool(weighted.log_weights.isinf().all()):
                waiting.append(samples)
                continue
            if self._current is None:
                first = int((~weighted.log_weights.isinf()).nonzero()[0])
                self._current, self._log_weight = weighted.x.select([first]), float(weighted.log_weights[first])
                yield from (
                    Samples(one.domain, [self._current.select([0] * len(one))], one.rows[:1])
                    for one in map(_gather, waiting)
                )
            rows = torch.cat(list(samples.rows)).sort().values
            chance = uniform((len(rows),), Streams(self.seed, rows, CHAIN), weighted.log_weights)
            chosen = accept(weighted.log_weights, chance, self._log_weight)
            # row 0 is where the chain stands
            x = collate([self._current, weighted.x]).select(chosen + 1)
            self._current = x.select([-1])
            self._log_weight = self._log_weight if int(chosen[-1]) < 0 else float(weighted.log_weights[chosen[-1]])
            yield Samples(samples.domain, [x], [rows])
        if self._current is None:
            yield from (Samples(one.domain, one.states, one.rows) for one in waiting)  # none has weight: all are alike

    def _check(self, samples: Samples, x: State) -> None:
        first = x if self._current is None else self._current
        if any(bool((x[name] != first[name][:1]).any()) for name in samples.domain.conditions):
            raise UserError("chain: expected one condition for all samples, got several")


def _gather(samples: Samples) -> Samples:
    return Samples(samples.domain, [samples.state()], [torch.cat(list(samples.rows)).sort().values])
