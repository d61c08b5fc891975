"""One place that reads a number from what a file says: within bounds, or not at all."""

from __future__ import annotations

import math
import re
from numbers import Integral, Real

from symdiff.errors import UserError

MAX_INTEGER = 2**31 - 1
MAX_REAL = 1e30
_LONGEST = 40  # characters of a number: Python needs quadratic time for digits, and refuses over 4,300 of them
_INTEGER = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?")


def read_integer(value: object, least: int = -MAX_INTEGER, most: int = MAX_INTEGER, decimals: bool = False) -> int:
    """Read an integer from least to most.

    Text has ASCII digits alone, with a sign perhaps: "²", "1_000" and "٣" are no integers. Numbers are integers where
    they are whole.

    Parameters
    ----------
    value : object
        Text, or a number as JSON, GraphML or numpy give it.
    least, most : int
        The bounds, both allowed.
    decimals : bool
        Whether text may be written with decimals that say nothing, such as "1.0".

    Returns
    -------
    int
        The number.

    Raises
    ------
    UserError
        "expected a whole number from ... to ..., got ...", without a place: the caller knows it.
    """
    number: int | None = None
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _LONGEST and _INTEGER.fullmatch(text):
            number = int(text)
        elif decimals and len(text) <= _LONGEST and _REAL.fullmatch(text):
            number = _whole(_float(text))
    elif isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
    elif isinstance(value, Real) and not isinstance(value, bool):
        number = _whole(float(value))
    if number is None or not least <= number <= most:
        raise UserError(f"expected a whole number from {least} to {most}, got {show(value)}")
    return number


def read_real(value: object, least: float = -MAX_REAL, most: float = MAX_REAL) -> float:
    """Read a finite real number from least to most.

    Text is a decimal number, with an exponent perhaps (Fortran's "1.5D-3" too); "nan", "inf" and "1e400" are no
    numbers.

    Parameters
    ----------
    value : object
        Text, or a number.
    least, most : float
        The bounds, both allowed.

    Returns
    -------
    float
        The number.

    Raises
    ------
    UserError
        "expected a number, got ...", or one from ... to ..., without a place: the caller knows it.
    """
    number = math.nan
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _LONGEST and _REAL.fullmatch(text):
            number = _float(text)
    elif isinstance(value, Real) and not isinstance(value, bool):
        number = float(value) if not isinstance(value, Integral) or abs(int(value)) <= MAX_REAL else math.inf
    if not math.isfinite(number):
        raise UserError(f"expected a number, got {show(value)}")
    if not least <= number <= most:
        raise UserError(f"expected a number from {least:g} to {most:g}, got {number:g}")
    return number


def show(value: object) -> str:
    """Quote a value for a message, cut where it is long.

    Parameters
    ----------
    value : object
        Anything from a file.

    Returns
    -------
    str
        At most some 60 characters.
    """
    if isinstance(value, int) and not -(10**_LONGEST) < value < 10**_LONGEST:
        return "a number of over 40 digits"  # printing it raises over 4,300
    text = repr(value[: _LONGEST + 1] if isinstance(value, str) else value)
    return text if len(text) <= _LONGEST + 2 else text[:_LONGEST] + " ..."


def _float(text: str) -> float:
    return float(text.replace("d", "e").replace("D", "e"))


def _whole(number: float) -> int | None:
    return int(number) if math.isfinite(number) and number == int(number) else None
