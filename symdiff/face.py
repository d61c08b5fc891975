"""Faces of packages: the names that a package offers, each loaded when it is first asked for."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from typing import Any


def face(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package, and its ``__all__``.

    The names stand once, where type checkers read them::

        if TYPE_CHECKING:
            from symdiff.breaking.sympe import SymPE as SymPE

        __getattr__, __dir__ = face(__name__)

    Parameters
    ----------
    package : str
        The name of the package that calls.

    Returns
    -------
    tuple of two functions
        ``__getattr__`` loads a name when it is first asked for; ``__dir__`` lists it before.
    """
    module: Any = sys.modules[package]
    offered = _read_names(module)
    module.__all__ = [*getattr(module, "__all__", ()), *sorted(offered)]

    def load(name: str) -> Any:
        if name not in offered:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(offered[name][0]), offered[name][1])
        setattr(module, name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(module), *offered})

    return load, names


def _read_names(module: Any) -> dict[str, tuple[str, str]]:
    """What stands under ``if TYPE_CHECKING``: name -> (module, its name there)."""
    source = module.__spec__.loader.get_source(module.__name__)
    offered = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                if isinstance(line, ast.ImportFrom) and line.module:
                    offered |= {alias.asname or alias.name: (line.module, alias.name) for alias in line.names}
    return offered
