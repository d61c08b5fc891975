"""A code for structures in 3D: a frame of axes, and node identities."""

from __future__ import annotations

import torch
from torch import Tensor

from symdiff.breaking.codes import Code, NodeCode
from symdiff.config.ranges import NodesOrNone, Width
from symdiff.state import Real, Schema, State


class FrameCode(Code):
    """A frame of three unit vectors along x, y and z, before a rotation moves them, and node identities.

    ``frame`` (B, 3, 3) holds the vectors. No rotation or reflection but the identity keeps the frame, so the stabilizer
    is trivial under O(3), and with ``nodes`` under S_n x O(3).

    Parameters
    ----------
    nodes : int
        The greatest number of nodes of the ``NodeCode`` beside the frame; 0 for none.
    dim : int
        Channels of a node's identity.
    """

    def __init__(self, nodes: NodesOrNone = 0, dim: Width = 16) -> None:
        super().__init__()
        self.names = NodeCode(nodes, dim) if nodes else None

    @property
    def schema(self) -> Schema:
        named = self.names.schema if self.names is not None else {}
        return {**named, "frame": Real("whole", 3, vector=3)}

    def forward(self, mask: Tensor) -> State:
        values = dict(self.names(mask).values) if self.names is not None else {}
        values["frame"] = torch.eye(3, device=mask.device).expand(len(mask), 3, 3)
        return State(mask, self.schema, values)
