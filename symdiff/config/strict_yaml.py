"""Strict YAML 1.2: one document of plain mappings, lists, text and finite numbers, and nothing that can surprise."""

from __future__ import annotations

import io
import math

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from symdiff.errors import UserError

LARGEST, DEEPEST = 64 * 1024, 16
"""Limits of a document: characters, and levels of nesting."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def parse(text: str, name: str = "recipe") -> Plain:
    """Read one YAML 1.2 document.

    Refused: duplicate keys, anchors and aliases, merge keys, tags, directives, several documents, keys that are not
    text, dates, numbers that are not finite, more than ``LARGEST`` characters or ``DEEPEST`` levels.

    Parameters
    ----------
    text : str
        The document.
    name : str
        Begins the message of every error.

    Returns
    -------
    None, bool, int, float, str, list or dict
        The plain values.

    Raises
    ------
    UserError
        In one line, with the line number where there is one.
    """
    if len(text) > LARGEST:
        raise UserError(f"{name}: expected at most {LARGEST} characters, got {len(text)}")
    try:
        _check_events(text, name)
        value = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise UserError(f"{name}: {_describe(error)}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name}: not YAML 1.2: {str(error).splitlines()[0]}") from None
    _check_plain(value, name, "")
    return value


def write(value: Plain) -> str:
    """Write plain values as YAML, in block style, keys in their order.

    Parameters
    ----------
    value : None, bool, int, float, str, list or dict
        The values.

    Returns
    -------
    str
        The text.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    # ruamel declares it by its first value, None
    yaml.sort_base_mapping_type_on_output = False  # pyright: ignore[reportAttributeAccessIssue]
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def _check_events(text: str, name: str) -> None:
    depth = documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line = f"{name}: line {event.start_mark.line + 1}"
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise UserError(f"{line}: anchors and aliases are not allowed, write the value out")
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if event.version or event.tags:
                raise UserError(f"{line}: directives (%YAML, %TAG) are not allowed")
        if documents > 1:
            raise UserError(f"{line}: expected one document, got a second")
        if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent) and event.ctag is not None:
            raise UserError(f"{line}: tags are not allowed, got {str(event.ctag)!r}")
        if isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
            raise UserError(f"{line}: merge keys (<<) are not allowed, write the keys out")
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= type(event).__name__ in ("MappingEndEvent", "SequenceEndEvent")
        if depth > DEEPEST:
            raise UserError(f"{line}: expected at most {DEEPEST} levels of nesting")


def _check_plain(value: object, name: str, path: str) -> None:
    here = f"{name}: {path}" if path else name
    if isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str):
                raise UserError(f"{here}: expected keys that are text, got {key!r}")
            _check_plain(entry, name, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            _check_plain(entry, name, f"{path}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{here}: expected a finite number, got {value}")
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise UserError(f"{here}: expected text, a number, a list or a mapping, got {value} ({type(value).__name__})")


def _describe(error: YAMLError) -> str:
    """A parser's complaint as one line."""
    problem = str(getattr(error, "problem", None) or str(error)).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: {problem}" if mark is not None else problem
