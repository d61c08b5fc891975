"""What a user can put right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """A user's mistake, told in one line: the place, what was expected, what came, the nearest valid name."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Suggest a valid name for an error message.

    Parameters
    ----------
    name : str
        The name that was given.
    valid : iterable of str
        The names that would be right.

    Returns
    -------
    str
        `` (did you mean 'x'?)`` where a valid name is close, else the list of valid names.
    """
    valid = sorted(valid)
    close = get_close_matches(str(name), valid, 1)
    return f" (did you mean {close[0]!r}?)" if close else f" (valid: {', '.join(valid)})"
