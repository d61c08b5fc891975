"""Codes: a learned v with trivial stabilizer, whose image g̃·v tells an equivariant network which g̃ was drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from symdiff.config.ranges import Nodes, Width
from symdiff.state import Categorical, Real, Schema, State


class Code(nn.Module, ABC):
    """v as a structure, before any group element has moved it."""

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """The schema of v."""

    @abstractmethod
    def forward(self, mask: Tensor) -> State:
        """Make v for every structure.

        Parameters
        ----------
        mask : Tensor, (B, N) bool
            Real nodes.

        Returns
        -------
        State
            v, the same for all structures of one size.
        """


class NodeCode(Code):
    """Node identities: a rank and a learned vector for every node.

    ``rank`` (B, N) keeps the stabilizer trivial whatever is learned; ``code`` (B, N, dim) is row r of a table.

    Parameters
    ----------
    nodes : int
        Rows of the table; structures with more nodes are refused.
    dim : int
        Channels of a node's vector.
    """

    def __init__(self, nodes: Nodes, dim: Width = 16) -> None:
        super().__init__()
        self.nodes, self.dim = nodes, dim
        self.table = nn.Parameter(torch.randn(nodes, dim))

    @property
    def schema(self) -> Schema:
        return {"rank": Categorical("node", self.nodes), "code": Real("node", self.dim)}

    def forward(self, mask: Tensor) -> State:
        batch, nodes = mask.shape
        if nodes > self.nodes:
            raise ValueError(f"the code has {self.nodes} nodes, got structures with up to {nodes}")
        rank = torch.where(mask, torch.arange(nodes, device=mask.device), 0)
        code = torch.where(mask[..., None], self.table[:nodes].expand(batch, -1, -1), 0.0)
        return State(mask, self.schema, {"rank": rank, "code": code})
