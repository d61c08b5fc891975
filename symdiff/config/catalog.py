"""Which classes a name may stand for: final subclasses of our own abstract classes, and those that were imported."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from functools import cache
from pathlib import Path
from typing import TypeVar

from symdiff.config.earlier import RENAMED
from symdiff.config.extensions import load_extensions
from symdiff.errors import UserError, nearest

T = TypeVar("T")


def find(base: type[T], name: object, *, where: str = "kind") -> type[T]:
    """Find a final subclass of an abstract class by its name: in our own package, in what was imported, in an
    extension.

    Parameters
    ----------
    base : type
        The abstract class.
    name : object
        What should be the name.
    where : str
        The place that messages begin with.

    Returns
    -------
    type
        The class.

    Raises
    ------
    UserError
        When there is none; with the nearest name.
    """
    catalog = _catalog(_package(base))
    if isinstance(name, str) and name in catalog:
        cls = getattr(_import(catalog[name][0], where), name)
        if isinstance(cls, type) and issubclass(cls, base) and not inspect.isabstract(cls):
            return cls
    for more in (False, True):
        if more:
            load_extensions()
        for cls in reversed(_subclasses(base)):
            if cls.__name__ == name and not inspect.isabstract(cls) and not cls.__module__.startswith("symdiff."):
                return cls
    former = RENAMED.get(base.__name__, {}).get(str(name))
    if former is not None:
        return find(base, former, where=where)
    raise UserError(
        f"{where}: expected the name of a {base.__name__}, got {show(name)}{nearest(str(name), names(base))}"
    )


def names(base: type) -> list[str]:
    """List the names that ``find`` knows.

    Parameters
    ----------
    base : type
        The abstract class.

    Returns
    -------
    list of str
        Names of final subclasses, sorted.
    """
    catalog = _catalog(_package(base))

    def descends(name: str) -> bool:
        parents = catalog[name][1] if name in catalog else ()
        return base.__name__ in parents or any(descends(parent) for parent in parents if parent != name)

    own = {name for name, (_, parents) in catalog.items() if descends(name) and "ABC" not in parents}
    theirs = {
        cls.__name__
        for cls in _subclasses(base)
        if not inspect.isabstract(cls) and not cls.__module__.startswith("symdiff.")
    }
    return sorted(own | theirs)


def _package(base: type) -> str:
    """The package whose modules hold the final subclasses of ``base``: the one that its own module is in."""
    return base.__module__.rpartition(".")[0]


@cache
def _catalog(package: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Class name -> (module, names of its bases), read from the sources, so that nothing is imported to find a name."""
    if not package.startswith("symdiff"):
        return {}
    folder = Path(importlib.import_module(package).__path__[0])
    classes = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                parents = tuple(ast.unparse(parent).partition("[")[0].rpartition(".")[2] for parent in node.bases)
                classes[node.name] = (f"{package}.{path.stem}", parents)
    return classes


def _import(module: str, where: str) -> types.ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "symdiff").split(".")[0] == "symdiff":
            raise
        raise UserError(f"{where}: {module} needs the package {error.name!r}, which is not installed") from error


def _subclasses(base: type) -> list[type]:
    classes: list[type] = []
    for cls in base.__subclasses__():
        classes += [cls, *_subclasses(cls)]
    return classes


def show(value: object) -> str:
    """Write a value for a message, cut where it is long.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        Its ``repr``, of at most 80 characters.
    """
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
