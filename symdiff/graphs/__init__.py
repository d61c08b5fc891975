"""Graphs in files, one reader a format, for training data and for samples alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.graphs.edge_list import EdgeList as EdgeList
    from symdiff.graphs.files import read_graphs as read_graphs
    from symdiff.graphs.graph_set import GraphSet as GraphSet

__getattr__, __dir__ = face(__name__)
