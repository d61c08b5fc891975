"""Which rows are sampled together, and the rows put back in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.importance import Weighted, weighted
from symdiff.random import Streams, uniform
from symdiff.state import State, collate, node_mask, pad
from symdiff.workers import each

Sizes = int | tuple[int, int] | Tensor | None
"""The number of nodes: fixed, bounds within which the training histogram decides, one for every row, or None for all of the histogram."""

NOISE, SIZES, CHAIN = 0, 1, 2  # one seed, three uses: the stream's epoch keeps them apart
BLOCK = 32
"""Batches are filled up to a multiple of this: see ``sample``."""


@dataclass(frozen=True)
class Batch:
    """Rows of the result that are sampled together. ``rows``, ``num_nodes``: (b,) int64, padded to ``nodes`` nodes."""

    rows: Tensor
    num_nodes: Tensor
    nodes: int


@dataclass(frozen=True)
class Samples:
    """Sampled structures, batch by batch; ``rows[k]`` (b,) says where those of ``states[k]`` belong.

    ``log_weights[k]`` (b,): log of the law that the domain knows over the density under the model, where asked for.
    """

    domain: Domain
    states: Sequence[State]
    rows: Sequence[Tensor]
    log_weights: Sequence[Tensor] | None = None

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.rows)

    def state(self) -> State:
        """All of them as one batch, padded to the largest, in the order of the rows."""
        return collate(list(self.states)).select(torch.cat(list(self.rows)).argsort())

    def weighted(self) -> Weighted:
        """All of them with their weights, in the order of the rows. Raises ValueError for samples without weights."""
        if self.log_weights is None:
            raise ValueError("these samples have no weights: sample with weighted=True")
        return Weighted(self.state(), torch.cat(list(self.log_weights))[torch.cat(list(self.rows)).argsort()])

    def chain(self, seed: int = 0) -> Samples:
        """A Markov chain whose law is the one that the domain knows, with these samples as proposals: ``Weighted.chain``.

        Row r depends on the samples up to r alone.

        Raises
        ------
        UserError
            When the samples have not all one condition: they are then proposals for several laws.
        """
        found, rows = self.weighted(), torch.arange(len(self))
        if any(bool((found.x[name] != found.x[name][:1]).any()) for name in self.domain.conditions):
            raise UserError("chain: expected one condition for all samples, got several")
        return Samples(self.domain, [found.x.select(found.chain(Streams(seed, rows, CHAIN)))], [rows])

    def objects(self) -> list:
        """One decoded object (a molecule, a graph) for every row."""
        found: list = [None] * len(self)
        for state, rows in zip(self.states, self.rows, strict=True):
            for row, obj in zip(rows.tolist(), self.domain.decode(state), strict=True):
                found[row] = obj
        return found

    def write(self, path: str | Path) -> None:
        """Write the objects to a file; its ending chooses the format. Raises UserError."""
        self.domain.write(self.objects(), path)


def draw_sizes(histogram: Sequence[float], count: int, seed: int, num_nodes: Sizes) -> Tensor:
    """The number of nodes of every row, (count,) int64: row r's size depends on the seed and r alone.

    Raises
    ------
    UserError
        When the bounds are none, or the training data have no structure within them.
    """
    if isinstance(num_nodes, Tensor):
        return num_nodes
    if isinstance(num_nodes, int):
        if num_nodes < 1:
            raise UserError(f"num_nodes: expected at least 1, got {num_nodes}")
        return torch.full((count,), num_nodes)
    weights = torch.tensor(list(histogram), dtype=torch.float64)
    if num_nodes is not None:
        low, high = num_nodes
        inside = torch.arange(len(weights)).ge(low) & torch.arange(len(weights)).le(high)
        if low < 1 or low > high or not bool(weights[inside].sum() > 0):
            seen = torch.nonzero(weights)[:, 0]
            raise UserError(f"num_nodes: {low}-{high}: the training data have {int(seen[0])} to {int(seen[-1])} nodes")
        weights = torch.where(inside, weights, 0.0)
    heap = weights.cumsum(0)
    place = uniform((count,), Streams(seed, torch.arange(count), SIZES), weights) * heap[-1]
    return torch.searchsorted(heap, place).clamp_max(len(weights) - 1)


def plan(
    histogram: Sequence[float], count: int, seed: int, num_nodes: Sizes, batch_size: int | None, pads: bool = True
) -> list[Batch]:
    """Group the rows by the size that they are padded to, and cut the groups into batches.

    How a row is padded follows from its own size and the model's largest alone, since sums over a padded row may round
    otherwise; without ``pads`` there is no padding. Without ``batch_size`` a batch holds about as many pairs as fit a processor's cache.
    """
    sizes = draw_sizes(histogram, count, seed, num_nodes)
    widths = torch.tensor([padded_size(size, len(histogram) - 1) for size in range(int(sizes.max()) + 1)])[sizes] if pads else sizes
    batches = []
    for nodes in widths.unique().tolist():
        rows = torch.nonzero(widths == nodes)[:, 0]
        most = default_batch_size(nodes) if batch_size is None else -(-batch_size // BLOCK) * BLOCK
        batches += [Batch(part, sizes[part], nodes) for part in rows.split(most)]
    return batches


def padded_size(size: int, largest: int) -> int:
    """The number of nodes that structures of ``size`` nodes are padded to: a multiple of 4, 8, 16, ... by their size.

    At most a quarter more than ``size`` (or 3), and not more than the ``largest`` of the training data.
    """
    step = max(4, 2 ** (size - 1).bit_length() // 8)
    return min(-(-size // step) * step, largest) if size <= largest else size


def default_batch_size(nodes: int) -> int:
    """Structures of ``nodes`` nodes that are sampled together unless told otherwise."""
    return BLOCK * max(1, min(32, 16_000 // (BLOCK * nodes * nodes)))


def sample(
    diffusion: Diffusion,
    domain: Domain,
    batches: Sequence[Batch],
    steps: int,
    seed: int,
    device: torch.device,
    progress: Callable[[float], None] | None = None,
    condition: State | None = None,
    known: State | None = None,
    guidance: float = 1.0,
    particles: int = 1,
    weigh: bool = False,
) -> Samples:
    """Sample the planned batches. ``progress`` is told, after every step, what share of how many structures it did.

    ``condition``: the given fields of every row of the result; ``known``: what is known of the others, ``guidance`` and ``particles``: see ``Diffusion.sample``.
    ``weigh``: with the weights under the domain's ``log_density``; then nothing may be known, and guidance is 1.

    A product of small matrices may sum in another order than one of many rows; a sample may then differ in its last bit,
    jump to another label and go its own way. So a batch is filled up with copies of its last row to a multiple of
    ``BLOCK`` rows; from 8 rows on, the network's result for a row was found to be the same in every batch.
    """

    def draw(batch: Batch) -> tuple[State, Tensor | None]:
        fill = -len(batch.rows) % BLOCK
        rows, sizes = (torch.cat([x, x[-1:].expand(fill)]).to(device) for x in (batch.rows, batch.num_nodes))
        tell = None if progress is None else _share(progress, len(batch.rows) / steps)
        given, begun = (x and pad(x.select(rows.to(x.device)), batch.nodes).to(device) for x in (condition, known))
        mask = node_mask(sizes, batch.nodes)
        if given is not None:
            given = replace(given, mask=mask)
        streams, log_weights = Streams(seed, rows, NOISE), None
        try:
            if weigh:
                found = weighted(diffusion, mask, steps, domain.log_density, streams, given, tell)
                state, log_weights = found.x, found.log_weights[: len(batch.rows)]
            else:
                state = diffusion.sample(mask, steps, streams, tell, given, begun, guidance, particles)
        except ValueError as error:
            raise UserError(f"cannot sample structures of up to {batch.nodes} nodes: {error}") from error
        return state.select(slice(0, len(batch.rows))).to("cpu"), log_weights

    states, log_weights = zip(*each(draw, batches, device), strict=True)
    return Samples(domain, states, [batch.rows for batch in batches], log_weights if weigh else None)


def _share(progress: Callable[[float], None], share: float) -> Callable[[], None]:
    return lambda: progress(share)


def parse_sizes(text: str | None) -> Sizes:
    """``9`` or ``5-9`` as a command line gives it. Raises UserError."""
    if text is None:
        return None
    parts = text.split("-")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise UserError(f"--num-nodes: expected a number (9) or bounds (5-9), got {text!r}")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))
