"""Structures that were sampled, in the order of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from symdiff.domains.base import Domain
from symdiff.sampling.importance import Weighted
from symdiff.state import State, collate


@dataclass(frozen=True)
class Samples:
    """Sampled structures, batch by batch; ``rows[k]`` (b,) says where those of ``states[k]`` belong.

    ``log_weights[k]`` (b,): log of the distribution that the domain knows over the density under the model, where asked
    for.
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

    def weigh(self) -> Weighted:
        """All of them with their weights, in the order of the rows. Raises ValueError for samples without weights."""
        if self.log_weights is None:
            raise ValueError("these samples have no weights: sample with Importance")
        return Weighted(self.state(), torch.cat(list(self.log_weights))[torch.cat(list(self.rows)).argsort()])

    def objects(self) -> list:
        """One decoded object (a molecule, a graph) for every row."""
        places = torch.cat(list(self.rows)).argsort().tolist()
        objects = [obj for state in self.states for obj in self.domain.decode(state)]
        return [objects[place] for place in places]

    def write(self, path: str | Path) -> None:
        """Write the objects to a file; its ending chooses the format. Raises UserError."""
        self.domain.write(self.objects(), path)
