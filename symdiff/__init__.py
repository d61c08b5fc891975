"""Generative models that can break symmetry: equivariant distributions for graphs, molecules and lattices.

Importing this package imports nothing heavy; the nouns are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_NOUNS = {
    "State": "state",
    "Streams": "random",
    "Recipe": "config.recipe",
    "Diffusion": "diffusion",
    "Pipeline": "pipeline",
    "SymdiffPipeline": "pipeline",
    "UserError": "errors",
}

__all__ = ["__version__", *_NOUNS]


def __getattr__(name: str) -> Any:
    if name in _NOUNS:
        return getattr(importlib.import_module(f"symdiff.{_NOUNS[name]}"), name)
    raise AttributeError(f"module 'symdiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NOUNS])
