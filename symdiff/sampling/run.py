"""A request that was checked, with all that it takes to sample it: at once, in blocks, or with what was on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import torch

from symdiff.domains.base import Domain
from symdiff.sampling.batches import plan, sample
from symdiff.sampling.recorded import Recorded, record
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler
from symdiff.sampling.samples import Samples
from symdiff.sampling.stream import block_size, join, pack, unpack
from symdiff.workers import process, share


@dataclass(frozen=True)
class Run:
    """One use of a sampler.

    Parameters
    ----------
    sampler : Sampler
        How structures are sampled; its networks are on ``device`` and in evaluation mode.
    domain : Domain
        What they are.
    request : Request
        Which are wanted, as ``prepare`` returns it.
    histogram : sequence of float
        The share of structures with 0, 1, 2, ... nodes, for sizes that the request leaves open.
    device : torch.device
        Where the networks are.
    batch_size : int, optional
        Structures that are sampled together; changes the speed only.
    precision : {"fp32", "bf16"}
        With ``bf16`` the networks run under autocast.
    progress : callable, optional
        Called with the number of finished structures (a fraction of a batch after each step).
    """

    sampler: Sampler
    domain: Domain
    request: Request
    histogram: Sequence[float]
    device: torch.device
    batch_size: int | None = None
    precision: str = "fp32"
    progress: Callable[[float], None] | None = None

    def collect(self) -> Samples:
        """Sample all structures, in memory.

        Returns
        -------
        Samples
            As many as the request wants.
        """
        return self._draw(self._plan(self.request))

    def stream(self, nodes: int) -> Iterator[Samples]:
        """Sample block after block of consecutive structures, so that no more than one block is in memory.

        Under torchrun the processes share the batches: the first one gets all blocks, in order; the others do their
        part and get none.

        Parameters
        ----------
        nodes : int
            The most nodes of a structure, from which the size of a block follows.

        Yields
        ------
        Samples
            The next block.
        """
        rank, processes = process()
        if processes == 1:
            yield from map(self._draw, self._blocks(nodes))
            return
        shared = share(
            lambda batch: self._draw([batch]),
            chain.from_iterable(self._blocks(nodes)),
            pack,
            lambda content: unpack(content, self.domain),
        )
        if rank > 0:
            deque(shared, 0)
            return
        for batches in self._blocks(nodes):
            finished = list(islice(shared, len(batches)))
            if self.progress is not None:
                self.progress(sum(len(samples) for place, samples in enumerate(finished) if place % processes))
            yield join(finished)

    def record(self, sampler: Recorded) -> list[Samples]:
        """Sample all structures, and keep what they were on the way.

        Parameters
        ----------
        sampler : Recorded
            The sampler of this run, which keeps the states.

        Returns
        -------
        list of Samples
            One for every moment, from noise to the samples.
        """
        with self._autocast():
            return record(sampler, self.domain, self._plan(self.request), self.device)

    def _plan(self, request: Request) -> list[Request]:
        return plan(request, self.histogram, self.batch_size, self.domain.pads)

    def _blocks(self, nodes: int) -> Iterator[list[Request]]:
        """The batches of one block after the other."""
        size, count = block_size(self.domain, nodes), self.request.count
        for start in range(0, count, size):
            yield self._plan(self.request.part(torch.arange(start, min(start + size, count))))

    def _draw(self, batches: list[Request]) -> Samples:
        with self._autocast():
            return sample(self.sampler, self.domain, batches, self.device, self.progress)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")
