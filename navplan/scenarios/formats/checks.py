"""What the values of files must be: points."""

from __future__ import annotations

import numpy as np

from navplan.system.arrays import Float64
from navplan.system.numbers import is_finite


def as_points(value: object) -> Float64 | None:
    """(N, 2) float64 from nested lists of finite numbers, or None when they are something else."""
    if not isinstance(value, list):
        return None
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(is_finite, pair)):
            return None
    return np.array(value, dtype=np.float64).reshape(-1, 2)
