"""Array types, by dtype (shapes are in docstrings); arrays that nobody may change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


def freeze(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only: kernels are compiled for read-only inputs once, and nobody changes what is shared."""
    for array in arrays:
        array.setflags(write=False)
