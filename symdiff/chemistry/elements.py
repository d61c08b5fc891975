"""Symbols and covalent radii of the elements, by atomic number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from rdkit import Chem

_TABLE = Chem.GetPeriodicTable()
HEAVIEST = 118
SYMBOLS = ("", *(_TABLE.GetElementSymbol(number) for number in range(1, HEAVIEST + 1)))
RADII = np.array([0.0, *(_TABLE.GetRcovalent(number) for number in range(1, HEAVIEST + 1))])
"""Covalent radii, angstrom."""
NUMBERS = {symbol.lower(): number for number, symbol in enumerate(SYMBOLS) if number} | {"d": 1, "t": 1}


def number_of(text: str) -> int | None:
    """Read an element.

    Parameters
    ----------
    text : str
        Its symbol in any case (D and T are hydrogen), or its atomic number.

    Returns
    -------
    int or None
        The atomic number; None for anything else.
    """
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text) if 0 < int(text) <= HEAVIEST else None
    return NUMBERS.get(text.lower())


def formula(numbers: Iterable[int]) -> str:
    """Write the sum formula in Hill's order: carbon, hydrogen, then by symbol; without carbon all by symbol.

    Parameters
    ----------
    numbers : iterable of int
        Atomic numbers of all atoms.

    Returns
    -------
    str
        Such as ``C2H6O``; ``?`` for a number that is no element.
    """
    return _formula(tuple(sorted(int(number) for number in numbers)))


@lru_cache(maxsize=1 << 14)
def _formula(numbers: tuple[int, ...]) -> str:
    counts: dict[str, int] = {}
    for number in numbers:
        symbol = SYMBOLS[number] if 0 < number < len(SYMBOLS) else "?"
        counts[symbol] = counts.get(symbol, 0) + 1
    first = ("C", "H") if "C" in counts else ()
    order = sorted(counts, key=lambda symbol: (first.index(symbol) if symbol in first else len(first), symbol))
    return "".join(symbol + (str(counts[symbol]) if counts[symbol] > 1 else "") for symbol in order)
