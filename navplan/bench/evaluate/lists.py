"""Lists in suite files: not empty, without repetition, every value checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from navplan.scenarios.formats.toml_table import TomlTable
from navplan.system.numbers import is_number

T = TypeVar("T")


def take_list(table: TomlTable, key: str, check: Callable[[object], T]) -> tuple[T, ...]:
    """The values of a key, each as `check` makes it.

    Raises:
        FileFormatError: it is missing, no list, empty, or holds a value that `check` refuses (ValueError: what is expected).
    """
    if key not in table:
        raise table.error(f"{table.label(key)} is missing")
    values = table.take(key)
    try:
        if not isinstance(values, list) or not values:
            raise ValueError("a list that is not empty")
        found = tuple(check(value) for value in values)
        if len(set(found)) < len(found):
            raise ValueError("different values")
    except ValueError as error:
        raise table.error(f"{table.label(key)} is {values!r}, expected {error}", key) from error
    return found


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError("a list of strings")
    return value


def number(value: object) -> float:
    """A finite number that is not negative."""
    if not is_number(value) or not math.isfinite(value) or value < 0:
        raise ValueError("a list of numbers that are not negative")
    return float(value)


def whole(least: int) -> Callable[[object], int]:
    """A check for integers of at least `least`."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"a list of integers of at least {least}")
        return value

    return check
