"""Which structures are sampled together, and on which cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler
from symdiff.sampling.samples import Samples
from symdiff.state import State
from symdiff.workers import each

BLOCK = 32
"""Batches are filled up to a multiple of this: see ``sample``."""


def plan(
    request: Request, histogram: Sequence[float], batch_size: int | None = None, pads: bool = True
) -> list[Request]:
    """Group the structures by the size that they are padded to, and cut the groups into batches.

    How a structure is padded follows from its own size and the model's largest alone, since sums over a padded row may
    round otherwise; without ``pads`` there is no padding. Without ``batch_size`` a batch holds about as many pairs as
    fit a processor's cache.

    Parameters
    ----------
    request : Request
        What is wanted.
    histogram : sequence of float
        The share of the training structures with 0, 1, 2, ... nodes.
    batch_size : int, optional
        Structures that are sampled together.
    pads : bool
        Whether structures of several sizes may share a batch.

    Returns
    -------
    list of Request
        Parts that hold every structure once, their sizes decided.
    """
    sizes = request.draw_sizes(histogram)
    widths = (
        torch.tensor([padded_size(size, len(histogram) - 1) for size in range(int(sizes.max()) + 1)])[sizes]
        if pads
        else sizes
    )
    decided = Request(request.count, sizes, request.condition, request.known, request.seed, request.rows)
    batches = []
    for nodes in widths.unique().tolist():
        index = torch.nonzero(widths == nodes)[:, 0]
        most = default_batch_size(nodes) if batch_size is None else -(-batch_size // BLOCK) * BLOCK
        batches += [decided.part(part, nodes) for part in index.split(most)]
    return batches


def padded_size(size: int, largest: int) -> int:
    """Choose the number of nodes that structures are padded to: a multiple of 4, 8, 16, ... by their size.

    It is at most a quarter more than ``size`` (or 3 more), and not more than ``largest``.

    Parameters
    ----------
    size : int
        Nodes of a structure.
    largest : int
        The most nodes of a structure of the training data; larger structures are not padded.

    Returns
    -------
    int
        At least ``size``.
    """
    step = max(4, 2 ** (size - 1).bit_length() // 8)
    return min(-(-size // step) * step, largest) if size <= largest else size


def default_batch_size(nodes: int) -> int:
    """Choose how many structures are sampled together unless told otherwise.

    Parameters
    ----------
    nodes : int
        The nodes that they are padded to; memory grows with the square of it.

    Returns
    -------
    int
        A multiple of ``BLOCK``.
    """
    return BLOCK * max(1, min(32, 16_000 // (BLOCK * nodes * nodes)))


def fill_up(batch: Request) -> Request:
    """Append copies of the last structure up to a multiple of ``BLOCK`` rows.

    Parameters
    ----------
    batch : Request
        Structures of decided sizes.

    Returns
    -------
    Request
        The same structures, then the copies.
    """
    return batch.part(torch.arange(batch.count + -batch.count % BLOCK).clamp_max(batch.count - 1))


def sample(
    sampler: Sampler,
    domain: Domain,
    batches: Sequence[Request],
    device: torch.device,
    progress: Callable[[float], None] | None = None,
) -> Samples:
    """Sample planned batches.

    A product of small matrices may sum in another order than one of many rows; a sample may then differ in its last
    bit, jump to another label and go its own way. So a batch is filled up with copies of its last row to a multiple of
    ``BLOCK`` rows; from 8 rows on, the network's result for a row was found to be the same in every batch.

    Parameters
    ----------
    sampler : Sampler
        How structures are sampled.
    domain : Domain
        What they are.
    batches : sequence of Request
        As ``plan`` makes them.
    device : torch.device
        Where the networks of the sampler are.
    progress : callable, optional
        Called after every step, with its share of how many structures.

    Returns
    -------
    Samples
        On the CPU, one state for each batch.

    Raises
    ------
    UserError
        For structures that the model cannot have.
    """

    def draw(batch: Request) -> tuple[State, Tensor | None]:
        advance = None if progress is None else _advance(progress, batch.count / sampler.steps)
        try:
            path = sampler(fill_up(batch).to(device), progress=advance)
        except UserError:
            raise
        except ValueError as error:
            raise UserError(f"cannot sample structures of up to {batch.nodes} nodes: {error}") from error
        log_weights = None if path.log_weights is None else path.log_weights[: batch.count]
        return path.x.select(slice(0, batch.count)).to("cpu"), log_weights

    states, log_weights = zip(*each(draw, batches, device), strict=True)
    return Samples(
        domain, states, [batch.numbers for batch in batches], None if log_weights[0] is None else log_weights
    )


def _advance(progress: Callable[[float], None], share: float) -> Callable[[], None]:
    return lambda: progress(share)
