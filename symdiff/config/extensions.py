"""Modules of one's own, whose classes recipes and checkpoints may then name."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import entry_points

from symdiff.errors import UserError, nearest
from symdiff.storage.boundary import describe

GROUP = "symdiff.extensions"
"""The entry points by which an installed package says which of its modules symdiff shall import."""


def import_modules(names: Sequence[str]) -> None:
    """Import modules by their names, those in the working folder among them.

    Parameters
    ----------
    names : sequence of str
        Names as in an import statement.

    Raises
    ------
    UserError
        Where one is missing, or raises while it is imported.
    """
    if names and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for name in names:
        _import(name, f"--import {name}")


def find_function(text: str, place: str) -> Callable:
    """Import the function that ``module:function`` names, from the working folder or installed.

    Parameters
    ----------
    text : str
        The name of a module, a colon, and that of a function in it.
    place : str
        What begins messages, such as an option.

    Raises
    ------
    UserError
        For another text, and where there is no such module or function, or the module raises while it is imported.
    """
    module, colon, name = text.partition(":")
    if not colon or not module or not name:
        raise UserError(f"{place}: expected module:function, got {text[:80]!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    _import(module, place)
    found = getattr(sys.modules[module], name, None)
    if not callable(found):
        raise UserError(f"{place}: {module} has no function {name!r}{nearest(name, dir(sys.modules[module]))}")
    return found


@cache
def load_extensions() -> None:
    """Import the modules that installed packages name in their entry points of the group ``symdiff.extensions``.

    Raises
    ------
    UserError
        Where one raises while it is imported.
    """
    for point in entry_points(group=GROUP):
        _import(point.value.partition(":")[0], f"extension {point.name} ({point.value})")


def _import(name: str, place: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name.partition(".")[0] or error.name == name:
            raise UserError(f"{place}: no such module, neither installed nor in {os.getcwd()}") from error
        raise UserError(f"{place}: it needs the package {error.name!r}, which is not installed") from error
    except Exception as error:
        raise UserError(f"{place}: it cannot be imported: {type(error).__name__}: {describe(error)}") from error
