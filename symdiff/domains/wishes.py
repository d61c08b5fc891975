"""What is wanted of a number: a value, a range, or a bound."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from symdiff.errors import UserError
from symdiff.storage.numbers import read_real, show

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})")
_BOUND = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")


@dataclass(frozen=True)
class Wish:
    """The numbers between two bounds, one number where these are equal.

    Parameters
    ----------
    low, high : float
        Bounds, perhaps infinite.
    strict : bool
        Whether the bounds themselves are left out.
    """

    low: float
    high: float
    strict: bool = False

    @classmethod
    def read(cls, text: str, unit: str = "") -> Wish:
        """Read ``90``, ``60-70``, ``-2--1``, ``>4``, ``<=4``, in a unit that messages say.

        Parameters
        ----------
        text : str
            A number, a range or a bound.
        unit : str
            What messages say behind numbers.

        Raises
        ------
        UserError
            For other text and an empty range, without a place: the caller knows it.
        """
        text, within = text.strip(), f" in {unit}" if unit else ""
        if match := _RANGE.fullmatch(text):
            low, high = map(read_real, match.groups())
            if low >= high:
                raise UserError(f"expected a range that rises, such as 60-70, got {show(text)}")
            return cls(low, high)
        if match := _BOUND.fullmatch(text):
            sign, value = match[1], read_real(match[2])
            strict = sign in "<>"
            return cls(-math.inf, value, strict) if sign in ("<", "<=", "≤") else cls(value, math.inf, strict)
        try:
            value = read_real(text)
        except UserError:
            raise UserError(f"expected a number, a range (60-70) or a bound (>4){within}, got {show(text)}") from None
        return cls(value, value)

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which of some values are wanted, bool; nan never is.

        Parameters
        ----------
        values : numpy.ndarray
            Of any shape.
        """
        with np.errstate(invalid="ignore"):
            if self.strict:
                return (values > self.low) & (values < self.high)
            return (values >= self.low) & (values <= self.high)
