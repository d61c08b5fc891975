"""A number from a file is within bounds, or it is none."""

import numpy as np
import pytest

from symdiff.errors import UserError
from symdiff.storage.numbers import read_integer, read_real, show

NO_INTEGERS = [
    "",
    " ",
    "²",
    "٣",
    "1_000",
    "0x10",
    "1e3",
    "1.5",
    "--1",
    "+",
    "nan",
    "inf",
    "9" * 4301,
    "1" * 50,
    "1 2",
    None,
    True,
    [1],
    1.5,
    float("nan"),
    float("inf"),
    10**5000,
]
NO_REALS = [
    "",
    "²",
    "1_0.0",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e",
    "0x1p3",
    "1,5",
    "9" * 4301,
    "1" * 400,
    None,
    True,
    [1.0],
    float("nan"),
    float("inf"),
    10**5000,
    10**400,
]


@pytest.mark.parametrize("value", NO_INTEGERS, ids=lambda v: show(v)[:20])
def test_no_integer_is_one_short_line(value):
    with pytest.raises(UserError, match="^expected a whole number") as caught:
        read_integer(value)
    assert len(str(caught.value)) < 160 and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", NO_REALS, ids=lambda v: show(v)[:20])
def test_no_real_is_one_short_line(value):
    with pytest.raises(UserError, match="^expected a number") as caught:
        read_real(value)
    assert len(str(caught.value)) < 160 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", 0),
        (" 12\n", 12),
        ("-7", -7),
        ("+3", 3),
        ("007", 7),
        (5, 5),
        (5.0, 5),
        (np.int8(-3), -3),
        (np.float32(2), 2),
    ],
)
def test_integers(value, number):
    assert read_integer(value) == number and type(read_integer(value)) is int


def test_integers_with_decimals_where_they_are_allowed():
    assert [read_integer(text, decimals=True) for text in ("1.0", "-2.", "1e2")] == [1, -2, 100]
    for text in ("1.5", "1e400", "nan"):
        with pytest.raises(UserError):
            read_integer(text, decimals=True)


@pytest.mark.parametrize("value", ["4", 4, 4.0, "-1", -1])
def test_integers_out_of_bounds(value):
    with pytest.raises(UserError, match="from 0 to 3"):
        read_integer(value, 0, 3)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1", 1),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("1.", 1),
        ("1e-3", 1e-3),
        ("1.5D-3", 1.5e-3),
        (2, 2),
        (np.float32(0.5), 0.5),
    ],
)
def test_reals(value, number):
    assert read_real(value) == number and type(read_real(value)) is float


def test_reals_out_of_bounds():
    with pytest.raises(UserError, match="from 0 to 1, got 1.5"):
        read_real("1.5", 0, 1)
