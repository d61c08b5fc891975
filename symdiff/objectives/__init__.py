"""Objectives: what a training step minimizes."""

from __future__ import annotations

import importlib
from typing import Any

_NOUNS = {
    "Denoising": "denoising",
    "LogVariance": "log_variance",
    "Objective": "base",
}

__all__ = list(_NOUNS)


def __getattr__(name: str) -> Any:
    if name in _NOUNS:
        return getattr(importlib.import_module(f"symdiff.objectives.{_NOUNS[name]}"), name)
    raise AttributeError(f"module 'symdiff.objectives' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NOUNS])
