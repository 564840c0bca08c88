"""Checks of planners' options."""

from __future__ import annotations

import math
from numbers import Integral, Real

from navplan.errors import InvalidInput
from navplan.system.words import said


def is_number(value: object) -> bool:
    """True for a real number of any type, numpy's included."""
    return isinstance(value, Real)


def is_whole(value: object) -> bool:
    """True for a whole number of any type, numpy's included."""
    return isinstance(value, Integral)


def check_time_limit(name: str, value: float | None) -> None:
    """Raise InvalidInput unless `value` is None or a number of seconds that is not negative."""
    if value is not None and not (is_number(value) and value >= 0):
        raise InvalidInput(f"{name} is {said(value)}, expected seconds, at least 0, or None")


def check_count(name: str, value: int | None) -> None:
    """Raise InvalidInput unless `value` is None or an integer of at least 0."""
    if value is not None and not (is_whole(value) and value >= 0):
        raise InvalidInput(f"{name} is {said(value)}, expected an integer of at least 0 or None")


def check_limit(name: str, value: int | None) -> None:
    """Raise InvalidInput unless `value` is None or a positive integer."""
    if value is not None and not (is_whole(value) and value > 0):
        raise InvalidInput(f"{name} is {said(value)}, expected a positive integer or None")


def check_suboptimality(name: str, value: float) -> None:
    """Raise InvalidInput unless `value` is a ratio to the optimum: a number of at least 1."""
    if not (is_number(value) and 1.0 <= value < math.inf):
        raise InvalidInput(f"{name} is {said(value)}, expected a number of at least 1")


def check_whole(name: str, value: int) -> None:
    """Raise InvalidInput unless `value` is an integer that is not negative."""
    if not is_whole(value) or value < 0:
        raise InvalidInput(f"{name} is {said(value)}, expected an integer of at least 0")


def check_positive(name: str, value: int) -> None:
    """Raise InvalidInput unless `value` is a positive integer."""
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name} is {said(value)}, expected a positive integer")
