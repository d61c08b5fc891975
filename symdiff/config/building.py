"""From a spec, ``{"kind": name, ...settings}``, to an object: only final subclasses of our own abstract classes."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from symdiff.config.extensions import load_extensions
from symdiff.errors import UserError, nearest

T = TypeVar("T")


def build(base: type[T], spec: Mapping | T, /, *, where: str | None = None, **given: object) -> T:
    """The object that ``spec`` describes: ``{"kind": name of a final subclass of base, ...settings}``.

    Settings are checked against the constructor's signature and annotations. ``given`` is what a recipe must not
    contain (a schema, marginal frequencies); a constructor takes those that it names. A nested choice, a parameter annotated
    with one of our abstract classes, is built as well, unless the class keeps a config (diffusers' ``ConfigMixin``):
    that one gets the checked spec, keeps it in its config and builds it itself. An instance of ``base`` passes
    unchanged.

    Raises
    ------
    UserError
        Names the place (``where``, then the keys), what was expected, what came and the nearest valid name.
    """
    if isinstance(spec, base):
        return spec
    where = base.__name__.lower() if where is None else where
    cls = check(base, spec, where=where, given=tuple(given))
    settings = {name: value for name, value in spec.items() if name != "kind"}
    hints = _parameters(cls)
    if not _keeps_config(cls):
        settings = {name: _built(hints[name][0], value, f"{where}.{name}") for name, value in settings.items()}
    try:
        return cls(**settings, **{name: value for name, value in given.items() if name in hints})
    except UserError as error:
        if str(error).startswith(where):
            raise
        raise UserError(f"{where}: {error}") from None
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def check(base: type, spec: object, *, where: str | None = None, given: Sequence[str] = ()) -> type:
    """Check a spec and everything nested in it without building anything, and return the class that it names.

    Raises
    ------
    UserError
        As ``build`` does, except for what only the constructor can tell.
    """
    where = base.__name__.lower() if where is None else where
    if not isinstance(spec, Mapping):
        raise UserError(f"{where}: expected a mapping with the key 'kind', got {_shown(spec)}")
    if "kind" not in spec:
        raise UserError(f"{where}: the key 'kind' is missing: the name of a {base.__name__}{nearest('', names(base))}")
    cls = find(base, spec["kind"], where=f"{where}.kind")
    parameters = _parameters(cls)
    free = [name for name in parameters if name not in given]
    for name, value in spec.items():
        if name == "kind":
            continue
        if name in given and name in parameters:
            raise UserError(f"{where}.{name}: not a setting: the package supplies it")
        if name not in free:
            raise UserError(f"{where}.{name}: {cls.__name__} has no such setting{nearest(str(name), free)}")
        _check_value(parameters[name][0], value, f"{where}.{name}")
    for name in free:
        if parameters[name][1] and name not in spec:
            raise UserError(f"{where}.{name}: {cls.__name__} needs this setting")
    return cls


def find(base: type[T], name: object, *, where: str = "kind") -> type[T]:
    """The final subclass of ``base`` called ``name``: in our own package, else in what was imported, else in an extension.

    Raises
    ------
    UserError
        When there is none; with the nearest name.
    """
    catalog = _catalog(_package(base))
    module = catalog.get(name, (None,))[0] if isinstance(name, str) else None
    if module is not None:
        cls = getattr(_imported(module, where), name)
        if isinstance(cls, type) and issubclass(cls, base) and not inspect.isabstract(cls):
            return cls
    for more in (False, True):
        if more:
            load_extensions()
        for cls in reversed(_subclasses(base)):
            if cls.__name__ == name and not inspect.isabstract(cls) and not cls.__module__.startswith("symdiff."):
                return cls
    raise UserError(f"{where}: expected the name of a {base.__name__}, got {_shown(name)}{nearest(str(name), names(base))}")


def names(base: type) -> list[str]:
    """The names that ``find`` knows under ``base``."""
    catalog = _catalog(_package(base))

    def descends(name: str) -> bool:
        parents = catalog[name][1] if name in catalog else ()
        return base.__name__ in parents or any(descends(parent) for parent in parents if parent != name)

    own = {name for name, (_, parents) in catalog.items() if descends(name) and "ABC" not in parents}
    theirs = {cls.__name__ for cls in _subclasses(base) if not inspect.isabstract(cls) and not cls.__module__.startswith("symdiff.")}
    return sorted(own | theirs)


def _package(base: type) -> str:
    """The package whose modules hold the final subclasses of ``base``: the one that its own module is in."""
    return base.__module__.rpartition(".")[0]


@cache
def _catalog(package: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Class name -> (module, names of its bases), read from the sources, so that nothing is imported to find a name."""
    if not package.startswith("symdiff"):
        return {}
    folder = Path(importlib.import_module(package).__file__).parent
    found = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                parents = tuple(ast.unparse(parent).partition("[")[0].rpartition(".")[2] for parent in node.bases)
                found[node.name] = (f"{package}.{path.stem}", parents)
    return found


def _imported(module: str, where: str) -> types.ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "symdiff").split(".")[0] == "symdiff":
            raise
        raise UserError(f"{where}: {module} needs the package {error.name!r}, which is not installed") from error


def _subclasses(base: type) -> list[type]:
    found: list[type] = []
    for cls in base.__subclasses__():
        found += [cls, *_subclasses(cls)]
    return found


def _parameters(cls: type) -> dict[str, tuple[Any, bool]]:
    """The constructor's parameters: name -> (annotation, whether it must be given)."""
    if cls.__init__ is object.__init__:
        return {}
    hints = get_type_hints(cls.__init__, include_extras=True)
    found = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            if cls.__init__.__qualname__.split(".")[0] != cls.__name__:
                continue  # inherited from a library's base class, which takes nothing of ours
            raise TypeError(f"{cls.__qualname__} must name its parameters to be built from a recipe, not *{name}")
        if name not in hints:
            raise TypeError(f"{cls.__qualname__} must annotate its parameter {name!r} to be built from a recipe")
        found[name] = (hints[name], parameter.default is parameter.empty)
    return found


def _keeps_config(cls: type) -> bool:
    return hasattr(cls, "register_to_config")


def _abstract(hint: object) -> type | None:
    """The abstract class of ours that an annotation names, alone or in a union."""
    if get_origin(hint) is Annotated:
        return _abstract(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return next((cls for cls in map(_abstract, get_args(hint)) if cls is not None), None)
    if isinstance(hint, type) and inspect.isabstract(hint) and not hint.__module__.startswith(("typing", "collections", "builtins")):
        return hint
    return None


def _items(hint: object, value: object) -> list[tuple[object, str, object, type]] | None:
    """The nested choices in a list or mapping of them: (key, its mark in a path, spec, abstract class)."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        inner = [cls for cls in map(_abstract, get_args(option)) if cls is not None]
        if not inner or not isinstance(get_origin(option), type):
            continue
        if issubclass(get_origin(option), Mapping) and isinstance(value, Mapping):
            return [(key, f".{key}", entry, inner[0]) for key, entry in value.items()]
        if issubclass(get_origin(option), Sequence) and isinstance(value, list | tuple):
            return [(place, f"[{place}]", entry, inner[0]) for place, entry in enumerate(value)]
    return None


def _check_value(hint: object, value: object, where: str) -> None:
    base = _abstract(hint)
    if base is not None and isinstance(value, base):
        return
    if base is not None and (isinstance(value, Mapping) or not _fits(hint, value)):
        check(base, value, where=where)
        return
    nested = _items(hint, value)
    if nested is not None:
        for _, mark, entry, inner in nested:
            if not isinstance(entry, inner):
                check(inner, entry, where=where + mark)
        return
    if base is None:
        _validate(hint, value, where)


def _built(hint: object, value: object, where: str) -> object:
    base = _abstract(hint)
    if base is not None:
        return build(base, value, where=where) if isinstance(value, Mapping) else value
    nested = _items(hint, value)
    if nested is not None:
        objects = {key: build(inner, entry, where=where + mark) for key, mark, entry, inner in nested}
        return objects if isinstance(value, Mapping) else list(objects.values())
    return tuple(value) if get_origin(hint) is tuple and isinstance(value, list) else value


def _fits(hint: object, value: object) -> bool:
    """Whether a value that is no spec is one of the other members of a union: None, a name."""
    for option in get_args(hint):
        if _abstract(option) is None and option is not dict and get_origin(option) is not dict:
            try:
                _validate(option, value, "")
            except UserError:
                continue
            return True
    return False


def _validate(hint: object, value: object, where: str) -> None:
    try:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True, strict=True, allow_inf_nan=False))
    except PydanticSchemaGenerationError as error:
        raise TypeError(f"{where}: a recipe cannot fill a parameter annotated {hint}") from error
    if get_origin(hint) is tuple and isinstance(value, list):
        value = tuple(value)  # YAML and JSON know lists only
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"[{key}]" if isinstance(key, int) else "" for key in first["loc"])
        raise UserError(f"{where}{place}: {told(first)}") from None


_EXPECTED = {
    "int_type": "an integer", "float_type": "a number", "bool_type": "true or false", "string_type": "text",
    "literal_error": "{expected}", "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}", "model_type": "a mapping", "dict_type": "a mapping",
    "list_type": "a list", "tuple_type": "a list", "none_required": "null", "int_from_float": "an integer",
    "string_pattern_mismatch": "text that matches {pattern}", "finite_number": "a finite number",
}  # fmt: skip


def told(problem: Mapping) -> str:
    """A pydantic problem in our words: what was expected, what came."""
    words = _EXPECTED.get(problem["type"])
    expected = words.format(**problem.get("ctx", {})) if words else problem["msg"].removeprefix("Input should be ")
    return f"expected {expected}, got {_shown(problem['input'])}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
