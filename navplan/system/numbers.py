"""Arguments as callers give them: numbers that are numbers, sources of randomness or their seeds, arrays of other libraries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput, did_you_mean
from navplan.system.arrays import Bool
from navplan.system.words import said

Error = type[InvalidInput]

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
        raise InvalidInput(f"{name} is {said(rng)}, expected a numpy random Generator, or a seed of at least 0")
    return np.random.default_rng(int(seed))


def check_numbers(**values: object) -> None:
    """Raise InvalidInput unless each value is one real number; what it may be is asked elsewhere."""
    for name, value in values.items():
        if not (_is_real(value) and isinstance(value, Real)):
            raise InvalidInput(f"{name} is {said(value)}, expected a number")


def check_whole(**values: object) -> None:
    """Raise InvalidInput unless each value is one integer; how large it may be is asked elsewhere."""
    for name, value in values.items():
        if not _is_whole(value):
            raise InvalidInput(f"{name} is {said(value)}, expected an integer")


def is_number(value: object) -> TypeGuard[float]:
    """A value of a file: an integer that a float can hold, or a float that is not NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1 << 1000 if isinstance(value, int) else not math.isnan(value)


def is_finite(value: object) -> TypeGuard[float]:
    """A number as `is_number` says, and not infinite."""
    return is_number(value) and not math.isinf(value)


def check_seed(seed: object, error: Error = InvalidInput) -> None:
    """Raise `error` unless `seed` is an integer of at least 0."""
    if not _is_whole(seed) or int(seed) < 0:  # type: ignore[call-overload]
        raise error(f"seed is {said(seed)}, expected an integer of at least 0")


def detached(values: Any) -> Any:
    """What numpy can take: of a tensor that learns, or that lies on another device, its values here; all else as it is."""
    for step in ("detach", "cpu"):
        if hasattr(values, step):
            values = getattr(values, step)()
    return values


def as_numbers(values: Any, name: str, dtype: type[np.floating[Any]] = np.float64, error: Error = InvalidInput) -> NDArray[Any]:
    """An array of real numbers, of `dtype`.

    Raises:
        InvalidInput: something else; or lists that are no array, for they have different lengths.

    Example:
        >>> as_numbers([[1, 2], [3, 4]], "points").shape
        (2, 2)
    """
    if type(values) is np.ndarray and values.dtype == dtype:
        return values
    array = as_array(values, name, error)
    fits = array.dtype.kind in "biuf" or (array.dtype == object and all(_is_real(value) for value in array.flat))
    if not fits:
        kind = type(values).__name__ if array.ndim == 0 or array.dtype == object else f"an array of {array.dtype}"
        raise error(f"{name} is {kind}, expected an array of numbers")
    with np.errstate(over="ignore"):  # what becomes infinite is refused where it must be finite
        return array.astype(dtype, copy=False)


def as_flags(values: Any, name: str, wanted: str = "True and False", error: Error = InvalidInput) -> Bool:
    """A boolean array, of truth values or of 0 and 1.

    Raises:
        InvalidInput: something else.
    """
    array = as_array(values, name, error)
    if array.dtype != np.bool_ and (array.dtype.kind not in "iuf" or not np.isin(array, (0, 1)).all()):
        raise error(f"{name} hold something else than 0 and 1, expected {wanted}")
    return array.astype(np.bool_, copy=False)


def as_points(points: Any, name: str, dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """(..., 2) numbers: places, (row, col) each.

    Raises:
        InvalidInput: something else.
    """
    array = as_numbers(points, name, dtype)
    if array.ndim == 0 or array.shape[-1] != 2:
        raise InvalidInput(f"{name} have shape {array.shape}, expected (..., 2): (row, col) each")
    return array


def as_array(values: Any, name: str, error: Error = InvalidInput) -> NDArray[Any]:
    """What numpy makes of `values`.

    Raises:
        InvalidInput: lists of different lengths within one another.
    """
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as wrong:
        raise error(f"{name} is no array: its parts have different lengths") from wrong


def check_kind(value: object, kind: type | tuple[type, ...], name: str, wanted: str, error: Error = InvalidInput) -> None:
    """Raise `error` unless `value` is of a class: "problem is a StateGraph, expected a Problem"."""
    if not isinstance(value, kind):
        raise error(f"{name} is a {type(value).__name__}, expected {wanted}")


def check_choice(name: str, value: object, known: Sequence[str], error: Error = InvalidInput) -> None:
    """Raise `error` unless `value` is one of a few words."""
    if not isinstance(value, str) or value not in known:
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise error(f"{name} is {said(value)}{hint}, expected {' or '.join(map(repr, known))}")


def check_flag(**values: object) -> None:
    """Raise InvalidInput unless each value is True or False."""
    for name, value in values.items():
        if not isinstance(value, bool | np.bool_):
            raise InvalidInput(f"{name} is {said(value)}, expected True or False")


def check_radius(radius: object) -> None:
    """Raise InvalidInput unless `radius` is that of a body: a finite number that is not negative."""
    check_numbers(radius=radius)
    if not (math.isfinite(radius) and radius >= 0):  # type: ignore[arg-type, operator]
        raise InvalidInput(f"radius is {said(radius)}, expected a finite number that is not negative")


def check_beta(beta: object) -> None:
    """Raise InvalidInput unless `beta` is a weight of risk: a finite number that is not negative."""
    check_numbers(beta=beta)
    if not (math.isfinite(beta) and beta >= 0):  # type: ignore[arg-type, operator]
        raise InvalidInput(f"beta is {said(beta)}, expected a finite number that is not negative")


def _is_real(value: object) -> bool:
    if isinstance(value, int) and abs(value) >= 1 << 1000:
        return False
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
