"""Ranges of settings: what a recipe or a checkpoint may ask for, checked before anything is allocated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Width = Annotated[int, Field(ge=1, le=8192)]
"""Channels of a network, or entries of a code."""
Layers = Annotated[int, Field(ge=1, le=512)]
"""Layers of a network."""
Factor = Annotated[int, Field(ge=1, le=64)]
"""By how much a layer is widened."""
Heads = Annotated[int, Field(ge=1, le=1024)]
"""Attention heads."""
Features = Annotated[int, Field(ge=0, le=1024)]
"""Functions of a distance, orientations, neighbors: as many as are used, 0 for none."""
Degree = Annotated[int, Field(ge=0, le=16)]
"""Of a polynomial, or levels of a pyramid."""
Classes = Annotated[int, Field(ge=1, le=4096)]
"""Labels of a field."""
Nodes = Annotated[int, Field(ge=1, le=65_536)]
"""Nodes of a structure."""
NodesOrNone = Annotated[int, Field(ge=0, le=65_536)]
"""Nodes of a structure, 0 where they have no identities."""
Points = Annotated[int, Field(ge=1, le=4096)]
"""Points that a group permutes, of which tables are made."""
Index = Annotated[int, Field(ge=0, lt=4096)]
"""One of these points, counted from 0."""
Side = Annotated[int, Field(ge=1, le=65_536)]
"""Sites along one side of a lattice."""
Dimension = Annotated[int, Field(ge=1, le=64)]
"""Dimensions of space."""
Levels = Annotated[int, Field(ge=1, le=100_000)]
"""Levels of noise."""
