from __future__ import annotations

import math

import numpy as np
import pytest

from navplan.errors import FileFormatError
from navplan.scenarios.formats.checks import as_points
from navplan.system.numbers import is_finite, is_number
from navplan.system.reading import decode_utf8


def test_odd_bytes_are_named_by_line() -> None:
    assert decode_utf8("a.txt", "é\n".encode(), "TOML") == "é\n"
    with pytest.raises(FileFormatError) as caught:
        decode_utf8("a.txt", b"a\nb\n\xff", "TOML")
    assert str(caught.value) == "a.txt:3: not UTF-8 text, expected TOML"


@pytest.mark.parametrize(
    ("value", "number", "finite"),
    [
        (1, True, True),
        (0.5, True, True),
        (math.inf, True, False),
        (math.nan, False, False),
        (True, False, False),
        (1 << 999, True, True),
        (-(1 << 1000), False, False),
        ("1", False, False),
        (None, False, False),
    ],
)
def test_numbers(value: object, number: bool, finite: bool) -> None:
    assert (is_number(value), is_finite(value)) == (number, finite)


def test_points() -> None:
    points = as_points([[0, 1.5], [2, 3]])
    assert points is not None
    np.testing.assert_array_equal(points, np.array([[0.0, 1.5], [2.0, 3.0]]))
    empty = as_points([])
    assert empty is not None
    assert empty.shape == (0, 2)
    for odd in ("ab", [[1]], [[1, 2, 3]], [[1, math.inf]], [(1, 2)], [[True, 1]]):
        assert as_points(odd) is None
