"""Randomized canonicalizers: elements of a group that carry a structure to a canonical one, ties drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.canonical.base import Canonicalizer as Canonicalizer
    from symdiff.canonical.frames import Frames as Frames
    from symdiff.canonical.molecules import Molecules as Molecules
    from symdiff.canonical.nodes import Nodes as Nodes
    from symdiff.canonical.nodes_given import NodesGiven as NodesGiven
    from symdiff.canonical.sites import Sites as Sites
    from symdiff.canonical.stored import Stored as Stored

__getattr__, __dir__ = face(__name__)
