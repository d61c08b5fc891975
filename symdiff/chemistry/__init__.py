"""Molecules as chemists write them: Kekule graphs, geometries, the perception of bonds, and one reader a format.

Nothing here knows a data set, a model or an evaluation: ``symdiff data import`` and ``symdiff evaluate`` read through it.
The nouns are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

_NOUNS = {
    "Broken": "storage.records",
    "Geometry": "chemistry.geometry",
    "Kekule": "chemistry.kekule",
    "Record": "storage.records",
    "identify": "chemistry.parse",
    "match": "chemistry.matching",
    "normalize": "chemistry.normal",
    "perceive": "chemistry.perception",
    "read": "chemistry.reading",
    "read_geometries": "chemistry.reading",
    "recognize": "chemistry.formats",
    "sanitize": "chemistry.parse",
    "to_kekule": "chemistry.kekule",
    "write": "chemistry.writing",
}

__all__ = list(_NOUNS)


def __getattr__(name: str) -> Any:
    if name in _NOUNS:
        return getattr(importlib.import_module(f"symdiff.{_NOUNS[name]}"), name)
    raise AttributeError(f"module 'symdiff.chemistry' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NOUNS])
