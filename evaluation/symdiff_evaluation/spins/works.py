"""What is worked out of configurations, in blocks, and how shards hold it."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from symdiff_evaluation.core.parallel import map_items
from symdiff_evaluation.core.shards import Progress, Work
from symdiff_evaluation.spins.label_observations import observe_labels
from symdiff_evaluation.spins.observations import Observations, observe

if TYPE_CHECKING:
    from symdiff_evaluation.spins.samples import Spins

_SITES, _MOST = 1 << 18, 4096  # in one block: of spins, of configurations
_COST = 2048  # of a block, that of judging a SMILES being 1: few enough for a shard of some megabytes


def split_blocks(spins: Spins) -> list[Spins]:
    """Split a set into parts of a size that nothing but the lattice decides: sums over it are the same for any shards
    and workers.

    Parameters
    ----------
    spins : Spins
        The set.

    Returns
    -------
    list of Spins
        The blocks, in order.
    """
    step = min(max(_SITES // math.prod(spins.shape), 1), _MOST)
    return [spins.select(slice(start, start + step)) for start in range(0, max(len(spins), 1), step)]


def make_work(workers: int) -> Work[Spins, Observations]:
    """Describe ``observe`` (or ``observe_labels``) of blocks as work that shards can keep.

    Parameters
    ----------
    workers : int
        Number of processes.

    Returns
    -------
    Work
        From blocks to ``Observations``.
    """
    return Work("observations", partial(_run, workers), identity, to_plain, restore, ("numpy",), _COST, records=len)


def identity(block: Spins) -> bytes:
    """Give bytes that differ where two blocks do, in configurations, couplings, field, lattice or model.

    Parameters
    ----------
    block : Spins
        The block.

    Returns
    -------
    bytes
        All of these.
    """
    hamiltonian = block.hamiltonian
    parts = [
        block.configurations.astype("i1"),
        *(t.numpy() for t in (hamiltonian.star, hamiltonian.coupling, hamiltonian.field)),
    ]
    head = f"{block.lattice} {block.model} {[part.shape for part in parts]}\n".encode()
    return head + b"".join(part.tobytes() for part in parts)


def to_plain(one: Observations) -> dict[str, object]:
    """Turn observations into what JSON holds, to the last bit.

    Parameters
    ----------
    one : Observations
        The observations.

    Returns
    -------
    dict of str to object
        Arrays as text.
    """
    columns = {field.name: getattr(one, field.name) for field in fields(Observations)}
    return {name: list(map(_pack, value)) if name == "lines" else _pack(value) for name, value in columns.items()}


def restore(columns: Mapping[str, Any]) -> Observations:
    """Turn what ``to_plain`` gave back into observations.

    Parameters
    ----------
    columns : mapping
        As read from JSON.

    Returns
    -------
    Observations
        The observations.
    """
    arrays: dict[str, Any] = {
        name: tuple(map(_unpack, value)) if name == "lines" else _unpack(value) for name, value in columns.items()
    }
    return Observations(**arrays)


def _run(workers: int, items: Sequence[Spins], progress: Progress | None) -> list[Observations]:
    sizes = map(len, items)
    tell = None if progress is None else lambda count: progress(sum(islice(sizes, count)))
    return map_items(_observe, items, workers, tell, chunk=1)


def _observe(block: Spins) -> Observations:
    return observe(block) if block.is_ising else observe_labels(block)


def _pack(array: np.ndarray) -> list:
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]


def _unpack(packed: Sequence) -> np.ndarray:
    kind, shape, body = packed
    return np.frombuffer(base64.b64decode(body), kind).reshape(shape)
