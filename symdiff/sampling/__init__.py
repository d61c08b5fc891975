"""Sampling: a ``Request`` says what is wanted, a ``Sampler`` how it is got."""

from __future__ import annotations

import importlib
from typing import Any

_NOUNS = {
    "Ancestral": "ancestral",
    "Importance": "importance",
    "Inpainting": "inpainting",
    "Request": "request",
    "Sampler": "sampler",
    "Samples": "samples",
    "Trajectory": "sampler",
    "Weighted": "importance",
}

__all__ = list(_NOUNS)


def __getattr__(name: str) -> Any:
    if name in _NOUNS:
        return getattr(importlib.import_module(f"symdiff.sampling.{_NOUNS[name]}"), name)
    raise AttributeError(f"module 'symdiff.sampling' has no attribute {name!r}")
