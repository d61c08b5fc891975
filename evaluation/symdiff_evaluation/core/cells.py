"""Text in a table that a spreadsheet would run.

Marked when it is written, the same again when the mark is taken away.
"""

from __future__ import annotations

import re

MARK = "'"
_STARTS = tuple("=+-@\t\r\n＝＋－＠") + (MARK,)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def escape(value: object) -> object:
    """Put ``MARK`` before text that a spreadsheet would take for a formula.

    Parameters
    ----------
    value : object
        What is written into a cell; only text that is no number is changed. Text that begins with ``MARK`` gets a
        second one, so that ``unescape`` gives back every text.

    Returns
    -------
    object
        The value, or the marked text.
    """
    if isinstance(value, str) and value.startswith(_STARTS) and not _NUMBER.fullmatch(value):
        return MARK + value
    return value


def unescape(text: str) -> str:
    """Give back the text that was passed to ``escape``.

    Parameters
    ----------
    text : str
        As it stands in the cell.

    Returns
    -------
    str
        Without the mark.
    """
    return text.removeprefix(MARK)
