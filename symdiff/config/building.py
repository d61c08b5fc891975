"""From a spec, ``{"kind": name, ...settings}``, to an object: only final subclasses of our own abstract classes."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from symdiff.config.catalog import find, names, show
from symdiff.errors import UserError, nearest

T = TypeVar("T")


def build(base: type[T], spec: Mapping | T, /, *, where: str | None = None, **given: object) -> T:
    """Build the object that a spec describes: ``{"kind": name of a final subclass of base, ...settings}``.

    Settings are checked against the constructor's signature and annotations. A nested choice, a parameter annotated
    with one of our abstract classes, is built as well, unless the class keeps a config (diffusers' ``ConfigMixin``):
    that one gets the checked spec, keeps it in its config and builds it itself.

    Parameters
    ----------
    base : type
        The abstract class.
    spec : mapping or object
        The spec; an instance of ``base`` passes unchanged.
    where : str, optional
        The place that messages begin with.
    **given
        What a recipe must not contain (a schema, marginal frequencies); a constructor takes those that it names.

    Returns
    -------
    object
        An instance of ``base``.

    Raises
    ------
    UserError
        Names the place (``where``, then the keys), what was expected, what came and the nearest valid name.
    """
    if isinstance(spec, base):
        return spec
    where = base.__name__.lower() if where is None else where
    cls = check(base, spec, where=where, given=tuple(given))
    assert isinstance(spec, Mapping)
    settings = {name: value for name, value in spec.items() if name != "kind"}
    hints = _parameters(cls)
    if not _keeps_config(cls):
        settings = {name: _build_value(hints[name][0], value, f"{where}.{name}") for name, value in settings.items()}
    try:
        return cls(**settings, **{name: value for name, value in given.items() if name in hints})
    except UserError as error:
        if str(error).startswith(where):
            raise
        raise UserError(f"{where}: {error}") from None
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def check(base: type, spec: object, *, where: str | None = None, given: Sequence[str] = ()) -> type:
    """Check a spec and everything nested in it without building anything.

    Parameters
    ----------
    base : type
        The abstract class.
    spec : object
        What should be a spec.
    where : str, optional
        The place that messages begin with.
    given : sequence of str
        Parameters that a recipe must not contain; those that ``base`` lists as ``supplied`` are among them.

    Returns
    -------
    type
        The class that the spec names.

    Raises
    ------
    UserError
        As ``build`` does, except for what only the constructor can tell.
    """
    where = base.__name__.lower() if where is None else where
    given = (*given, *getattr(base, "supplied", ()))
    if not isinstance(spec, Mapping):
        raise UserError(f"{where}: expected a mapping with the key 'kind', got {show(spec)}")
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
        _check_value(parameters[name][0], value, f"{where}.{name}", base, given)
    for name in free:
        if parameters[name][1] and name not in spec:
            raise UserError(f"{where}.{name}: {cls.__name__} needs this setting")
    return cls


def _parameters(cls: type) -> dict[str, tuple[Any, bool]]:
    """The constructor's parameters: name -> (annotation, whether it must be given)."""
    if cls.__init__ is object.__init__:
        return {}
    hints = get_type_hints(cls.__init__, include_extras=True)
    parameters = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            if cls.__init__.__qualname__.split(".")[0] != cls.__name__:
                continue  # inherited from a library's base class, which takes nothing of ours
            raise TypeError(f"{cls.__qualname__} must name its parameters to be built from a recipe, not *{name}")
        if name not in hints:
            raise TypeError(f"{cls.__qualname__} must annotate its parameter {name!r} to be built from a recipe")
        parameters[name] = (hints[name], parameter.default is parameter.empty)
    return parameters


def _keeps_config(cls: type) -> bool:
    return hasattr(cls, "register_to_config")


def _abstract(hint: object) -> type | None:
    """The abstract class of ours that an annotation names, alone or in a union."""
    if get_origin(hint) is Annotated:
        return _abstract(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return next((cls for cls in map(_abstract, get_args(hint)) if cls is not None), None)
    if (
        isinstance(hint, type)
        and inspect.isabstract(hint)
        and not hint.__module__.startswith(("typing", "collections", "builtins"))
    ):
        return hint
    return None


def _items(hint: object, value: object) -> list[tuple[object, str, object, type]] | None:
    """The nested choices in a list or mapping of them: (key, its mark in a path, spec, abstract class)."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        inner, container = [cls for cls in map(_abstract, get_args(option)) if cls is not None], get_origin(option)
        if not inner or not isinstance(container, type):
            continue
        if issubclass(container, Mapping) and isinstance(value, Mapping):
            return [(key, f".{key}", entry, inner[0]) for key, entry in value.items()]
        if issubclass(container, Sequence) and isinstance(value, list | tuple):
            return [(place, f"[{place}]", entry, inner[0]) for place, entry in enumerate(value)]
    return None


def _check_value(hint: object, value: object, where: str, around: type, given: Sequence[str]) -> None:
    """Check a setting of a class of the kind ``around``; one of the same kind within it is given the same."""
    base = _abstract(hint)
    if base is not None and isinstance(value, base):
        return
    if base is not None and (isinstance(value, Mapping) or not _fits(hint, value)):
        check(base, value, where=where, given=given if base is around else ())
        return
    nested = _items(hint, value)
    if nested is not None:
        for _, mark, entry, inner in nested:
            if not isinstance(entry, inner):
                check(inner, entry, where=where + mark)
        return
    if base is None:
        _validate(hint, value, where)


def _build_value(hint: object, value: object, where: str) -> object:
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


def _validate(hint: Any, value: object, where: str) -> None:
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
        raise UserError(f"{where}{place}: {describe_problem(first)}") from None


_EXPECTED = {
    "int_type": "an integer", "float_type": "a number", "bool_type": "true or false", "string_type": "text",
    "literal_error": "{expected}", "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}", "model_type": "a mapping",
    "dict_type": "a mapping", "list_type": "a list", "tuple_type": "a list", "none_required": "null",
    "int_from_float": "an integer", "string_pattern_mismatch": "text that matches {pattern}",
    "finite_number": "a finite number",
}  # fmt: skip


def describe_problem(problem: Mapping) -> str:
    """Describe a pydantic problem: what was expected, what came.

    Parameters
    ----------
    problem : mapping
        One entry of ``ValidationError.errors()``.

    Returns
    -------
    str
        One line.
    """
    words = _EXPECTED.get(problem["type"])
    expected = words.format(**problem.get("ctx", {})) if words else problem["msg"].removeprefix("Input should be ")
    return f"expected {expected}, got {show(problem['input'])}"
