"""Kinds of samples: what each can read, count and show."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from symdiff_evaluation.core.kind import Kind

_HOMES = {
    "molecule-graph": ("molecules", "MoleculeKind"),
    "molecule-3d": ("molecules3d", "GeometryKind"),
    "graph": ("graphs", "GraphKind"),
    "lattice": ("spins", "SpinKind"),
}
KINDS = tuple(_HOMES)


@cache
def load_kind(name: str) -> Kind:
    """Load the kind of a name.

    Parameters
    ----------
    name : str
        One of ``KINDS``.

    Returns
    -------
    Kind
        The same object at every call.
    """
    package, noun = _HOMES[name]
    return getattr(import_module(f"symdiff_evaluation.{package}.kind"), noun)()
