"""What the values of files must be: numbers, points."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np

from navplan.system.arrays import Float64


def is_number(value: object) -> TypeGuard[float]:
    """An integer that a float can hold, or a float that is not NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1 << 1000 if isinstance(value, int) else not math.isnan(value)


def is_finite(value: object) -> TypeGuard[float]:
    """A number as `is_number` says, and not infinite."""
    return is_number(value) and not math.isinf(value)


def as_points(value: object) -> Float64 | None:
    """(N, 2) float64 from nested lists of finite numbers, or None when they are something else."""
    if not isinstance(value, list):
        return None
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(is_finite, pair)):
            return None
    return np.array(value, dtype=np.float64).reshape(-1, 2)
