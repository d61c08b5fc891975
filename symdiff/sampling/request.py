"""What is wanted of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import torch
from torch import Tensor

from symdiff.errors import UserError
from symdiff.random import Streams, uniform
from symdiff.state import State, node_mask, pad

Sizes = int | tuple[int, int] | Tensor | None
"""Numbers of nodes: one for all structures, bounds, one for each structure, or None.

Within bounds, and for None, the training histogram decides.
"""

NOISE, SIZES, CHAIN, VALUES = 0, 1, 2, 3  # one seed, several uses: the stream's epoch keeps them apart
MAX_COUNT = 10**9
MAX_NODES = 1 << 20


@dataclass(frozen=True)
class Request:
    """Structures that are wanted, whichever way they are sampled.

    Structure r depends on ``seed`` and r alone: not on ``count``, and not on what it is sampled together with.

    Parameters
    ----------
    count : int
        How many structures.
    sizes : int, tuple of int or Tensor, optional
        Their numbers of nodes: one for all, bounds, or (count,) int64; the training data decide where left out.
    condition : State, optional
        The given fields, of one structure for all or of ``count``; without nodes where all of them belong to the whole
        structure.
    known : State, optional
        What is known of the generated fields, of one structure for all or of ``count``: a State over the process'
        ``noisy_schema()`` whose entries are known but where they are hidden, for processes that reveal; for the others
        a fragment, the first nodes of the structure.
    seed : int
        Same seed, same structures.
    rows : Tensor, optional
        (count,) int64: the numbers of these structures where the request is a part of a larger one; else 0, 1, ...
    nodes : int, optional
        The number of nodes that structures are padded to; else that of the largest.

    Raises
    ------
    UserError
        For a count or sizes out of range.
    """

    count: int
    sizes: Sizes = None
    condition: State | None = None
    known: State | None = None
    seed: int = 0
    rows: Tensor | None = None
    nodes: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_COUNT:
            raise UserError(f"count: expected 1 to {MAX_COUNT:,} structures, got {self.count}")
        for name, state in (("condition", self.condition), ("known", self.known)):
            if state is not None and len(state) not in (1, self.count):
                raise UserError(f"{name}: expected 1 structure or {self.count}, got {len(state)}")
        if isinstance(self.sizes, Tensor):
            if len(self.sizes) != self.count:
                raise UserError(f"num_nodes: expected {self.count} numbers, got {len(self.sizes)}")
        elif isinstance(self.sizes, int):
            if not 1 <= self.sizes <= MAX_NODES:
                raise UserError(f"num_nodes: expected 1 to {MAX_NODES:,}, got {self.sizes}")
        elif self.sizes is not None and not 1 <= self.sizes[0] <= self.sizes[1]:
            raise UserError(f"num_nodes: expected bounds such as 5-9, got {self.sizes[0]}-{self.sizes[1]}")

    @classmethod
    def of(cls, mask: Tensor, condition: State | None = None, known: State | None = None, seed: int = 0) -> Request:
        """Ask for one structure for every row of a mask, as large as the row says.

        Parameters
        ----------
        mask : Tensor
            (B, N) bool, the nodes of the structures.
        condition : State, optional
            The given fields, of one structure for all or of B.
        known : State, optional
            What is known of the generated fields.
        seed : int
            Same seed, same structures.

        Returns
        -------
        Request
            Padded to N nodes.
        """
        return cls(len(mask), mask.sum(1), condition, known, seed, nodes=mask.shape[1])

    def part(self, index: Tensor, nodes: int | None = None) -> Request:
        """Ask for some of the structures; each comes out as it does in the whole request.

        Parameters
        ----------
        index : Tensor
            (b,) int64, which structures.
        nodes : int, optional
            The nodes that they are padded to; as before by default.

        Returns
        -------
        Request
            Of b structures.
        """

        def select(state: State | None) -> State | None:
            return state if state is None or len(state) == 1 else state.select(index.to(state.device))

        rows = index if self.rows is None else self.rows[index]
        sizes = self.sizes[index] if isinstance(self.sizes, Tensor) else self.sizes
        return replace(
            self,
            count=len(index),
            sizes=sizes,
            condition=select(self.condition),
            known=select(self.known),
            rows=rows,
            nodes=nodes or self.nodes,
        )

    def to(self, device: torch.device | str) -> Request:
        """Move all tensors to a device.

        Parameters
        ----------
        device : torch.device or str
            The device.

        Returns
        -------
        Request
            The same structures.
        """

        def move(value):
            return value.to(device) if isinstance(value, Tensor | State) else value

        return replace(self, **{name: move(getattr(self, name)) for name in ("sizes", "condition", "known", "rows")})

    @property
    def numbers(self) -> Tensor:
        """The numbers of the structures, (count,) int64."""
        return torch.arange(self.count) if self.rows is None else self.rows

    @property
    def streams(self) -> Streams:
        """The random numbers of every structure."""
        return Streams(self.seed, self.numbers, NOISE)

    @property
    def values(self) -> Streams:
        """Random numbers of every structure for the conditions that it is given."""
        return Streams(self.seed, self.numbers, VALUES)

    @property
    def mask(self) -> Tensor:
        """The nodes of the structures, (count, N) bool.

        Raises
        ------
        ValueError
            For sizes that are not decided.
        """
        if not isinstance(self.sizes, int | Tensor):
            raise ValueError(f"sizes: expected one number of nodes, or one for each structure, got {self.sizes}")
        return node_mask(
            torch.full((self.count,), self.sizes) if isinstance(self.sizes, int) else self.sizes, self.nodes
        )

    @overload
    def expand(self, state: State) -> State: ...
    @overload
    def expand(self, state: None) -> None: ...

    def expand(self, state: State | None) -> State | None:
        """Give ``condition`` or ``known`` a row for every structure, padded like them.

        Parameters
        ----------
        state : State or None
            One row for all structures, or one for each.

        Returns
        -------
        State or None
            ``count`` rows; None for None.
        """
        if state is None:
            return None
        state = state.select([0] * self.count) if len(state) == 1 else state
        return state if self.nodes is None else pad(state, self.nodes)

    def largest(self, histogram: Sequence[float]) -> int:
        """Tell the most nodes that a structure can have.

        Parameters
        ----------
        histogram : sequence of float
            The share of training structures with 0, 1, 2, ... nodes, for sizes that are open.

        Returns
        -------
        int
            Of ``sizes`` where they are decided, else of the histogram.
        """
        if isinstance(self.sizes, int | Tensor):
            return int(torch.as_tensor(self.sizes).max())
        return max(size for size, share in enumerate(histogram) if share > 0)

    def draw_sizes(self, histogram: Sequence[float]) -> Tensor:
        """Draw the number of nodes of every structure, where sizes are open.

        Parameters
        ----------
        histogram : sequence of float
            The share of training structures with 0, 1, 2, ... nodes.

        Returns
        -------
        Tensor
            (count,) int64.

        Raises
        ------
        UserError
            When the training data have no structure within the bounds.
        """
        if isinstance(self.sizes, Tensor):
            return self.sizes
        if isinstance(self.sizes, int):
            return torch.full((self.count,), self.sizes)
        weights = torch.tensor(list(histogram), dtype=torch.float64)
        if self.sizes is not None:
            low, high = self.sizes
            inside = torch.arange(len(weights)).ge(low) & torch.arange(len(weights)).le(high)
            if not bool(weights[inside].sum() > 0):
                present = torch.nonzero(weights)[:, 0]
                raise UserError(
                    f"num_nodes: {low}-{high}: the training data have {int(present[0])} to {int(present[-1])} nodes"
                )
            weights = torch.where(inside, weights, 0.0)
        heap = weights.cumsum(0)
        place = uniform((self.count,), Streams(self.seed, self.numbers, SIZES), weights) * heap[-1]
        return torch.searchsorted(heap, place).clamp_max(len(weights) - 1)


def parse_sizes(text: str | None) -> Sizes:
    """Read a number of nodes or bounds, as the command line gives them.

    Parameters
    ----------
    text : str or None
        ``9`` or ``5-9``.

    Returns
    -------
    int, tuple of int or None
        The number, the two bounds, or None for None.

    Raises
    ------
    UserError
        For any other text.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split("-")]
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise UserError(f"--num-nodes: expected a number (9) or bounds (5-9), got {text[:40]!r}")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))
