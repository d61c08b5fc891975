"""``auto`` in a recipe: the places of values that follow from the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

AUTO = "auto"
Place = tuple[str | int, ...]
_NEVER = ("name",)
"""Keys whose values are the user's own words."""


def find_places(plain: object, place: Place = ()) -> Iterator[Place]:
    """Find where plain values say ``auto``.

    Parameters
    ----------
    plain : object
        Values of a recipe: mappings, lists, text and numbers.
    place : tuple of str or int
        Where ``plain`` itself is, in front of every result.

    Yields
    ------
    tuple of str or int
        Keys of mappings and numbers of list entries, from the outside in.
    """
    if isinstance(plain, Mapping):
        entries: Sequence[tuple[Any, object]] = [(key, value) for key, value in plain.items() if key not in _NEVER]
    elif isinstance(plain, list):
        entries = list(enumerate(plain))
    else:
        return
    for key, value in entries:
        if value == AUTO:
            yield (*place, key)
        else:
            yield from find_places(value, (*place, key))


def without(plain: Any, places: Sequence[Place]) -> Any:
    """Copy plain values without what is at some places, so that defaults hold there.

    Parameters
    ----------
    plain : object
        Values of a recipe.
    places : sequence of tuple
        The places that are left out; entries of lists are kept.

    Returns
    -------
    object
        The copy.
    """
    inside = {first: [place[1:] for place in places if place[0] == first] for first in {place[0] for place in places}}
    if isinstance(plain, Mapping):
        return {key: without(value, inside.get(key, ())) for key, value in plain.items() if (key,) not in places}
    if isinstance(plain, list):
        return [without(value, inside.get(k, ())) for k, value in enumerate(plain)]
    return plain


def put(plain: Any, place: Place, value: object) -> None:
    """Put a value into plain values, in place; mappings on the way that are not there are made.

    Parameters
    ----------
    plain : object
        Values of a recipe; they are changed.
    place : tuple of str or int
        Where the value goes.
    value : object
        The value.
    """
    for key in place[:-1]:
        plain = plain[key] if isinstance(key, int) else plain.setdefault(key, {})
    plain[place[-1]] = value


def look_up(plain: Any, place: Place) -> object:
    """Look up the value at a place of plain values.

    Parameters
    ----------
    plain : object
        Values of a recipe.
    place : tuple of str or int
        The place.

    Returns
    -------
    object
        The value.

    Raises
    ------
    KeyError
        Where there is none.
    """
    for key in place:
        try:
            plain = plain[key]
        except (IndexError, TypeError):
            raise KeyError(key) from None
    return plain


def write(place: Place) -> str:
    """Write a place as ``--set`` takes it: ``training/steps``.

    Parameters
    ----------
    place : tuple of str or int
        The place.

    Returns
    -------
    str
        The keys, with slashes between them.
    """
    return "/".join(map(str, place))
