"""Evaluation of samples: numbers with definitions, denominators and intervals. Knows samples, never models."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Estimate": "core.estimate",
    "Metric": "core.metric",
    "distinct": "core.estimate",
    "fraction": "core.estimate",
    "mean": "core.estimate",
    "metric": "core.registering",
    "nothing": "core.estimate",
    "ratio": "core.estimate",
    "Evaluation": "core.evaluation",
    "Reference": "molecules.reference",
    "build_reference": "molecules.building",
    "evaluate": "core.evaluation",
    "from_smiles": "molecules.samples",
    "picture": "molecules.drawing",
    "write": "core.writing",
}
_HOMES = dict(sorted(_HOMES.items()))
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
