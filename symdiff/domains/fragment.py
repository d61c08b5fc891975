"""A part of a structure that is known, node by node."""

from __future__ import annotations

from symdiff.state import Categorical, State

FIXED = "fixed"
MARKER = Categorical("node", 2)
"""The field, beside those of the structure, that says which nodes are known: 1, with their labels, vectors and all pairs among them."""


def fragment(state: State) -> State:
    """Whole structures as what is known: all their nodes."""
    return State(state.mask, {**state.schema, FIXED: MARKER}, {**state.values, FIXED: state.mask.long()})
