"""Arguments as callers give them: numbers that are numbers, sources of randomness or their seeds, arrays of other libraries."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from navplan.errors import InvalidInput
from navplan.system.arrays import Float64

Rng = np.random.Generator | int
"""A source of randomness, or the seed of one."""


def generator(rng: Rng, name: str = "rng") -> np.random.Generator:
    """The source itself, or a new one for a seed.

    Raises:
        InvalidInput: neither of them.

    Example:
        >>> int(generator(3).integers(100)) == int(np.random.default_rng(3).integers(100))
        True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    seed: Any = rng
    if not _is_whole(seed) or seed < 0:
        raise InvalidInput(f"{name} is {_said(rng)}, expected a numpy random Generator, or a seed of at least 0")
    return np.random.default_rng(int(seed))


def check_numbers(**values: object) -> None:
    """Raise InvalidInput unless each value is one real number; what it may be is asked elsewhere."""
    for name, value in values.items():
        fits = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not fits or (isinstance(value, int) and abs(value) >= 1 << 1000):
            raise InvalidInput(f"{name} is {_said(value)}, expected a number")


def check_whole(**values: object) -> None:
    """Raise InvalidInput unless each value is one integer; how large it may be is asked elsewhere."""
    for name, value in values.items():
        if not _is_whole(value):
            raise InvalidInput(f"{name} is {_said(value)}, expected an integer")


def is_number(value: object) -> TypeGuard[float]:
    """A value of a file: an integer that a float can hold, or a float that is not NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1 << 1000 if isinstance(value, int) else not math.isnan(value)


def is_finite(value: object) -> TypeGuard[float]:
    """A number as `is_number` says, and not infinite."""
    return is_number(value) and not math.isinf(value)


def detached(values: Any) -> Any:
    """What numpy can take: of a tensor that learns, or that lies on another device, its values here; all else as it is."""
    for step in ("detach", "cpu"):
        if hasattr(values, step):
            values = getattr(values, step)()
    return values


def as_numbers(values: Any, name: str) -> Float64:
    """An array of numbers in float64.

    Raises:
        InvalidInput: something else.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is {type(values).__name__}, expected an array of numbers") from error


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _said(value: object) -> str:
    text = (
        " ".join(repr(value).split())
        if not isinstance(value, int) or math.log2(abs(value) + 1) < 100
        else "an integer beyond all use"
    )
    return text if len(text) <= 60 else text[:57] + "..."
