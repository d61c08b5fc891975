"""Evaluation of samples: numbers with definitions, denominators and intervals. Knows samples, never models."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Estimate": "estimate",
    "Evaluation": "evaluation",
    "Reference": "reference",
    "build_reference": "building",
    "evaluate": "evaluation",
    "from_smiles": "samples",
    "picture": "drawing",
    "write": "writing",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
