"""Evaluation of samples: numbers with definitions, denominators and intervals. Knows samples, never models."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Estimate": "core.estimate",
    "Evaluation": "core.evaluation",
    "Reference": "molecules.reference",
    "build_reference": "molecules.building",
    "evaluate": "core.evaluation",
    "from_smiles": "molecules.samples",
    "picture": "molecules.drawing",
    "write": "core.writing",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
