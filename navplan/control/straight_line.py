"""The simplest low level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.errors import InvalidInput
from navplan.system.arrays import Float32


@dataclass(frozen=True)
class StraightLine:
    """Full speed towards the goal along the straight line, slowing down so as to stop on it."""

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """See `navplan.control.interface.LowLevel`; takes no condition."""
        if condition is not None:
            raise InvalidInput("straight-line control takes no condition")
        gap = np.asarray(goals, np.float32) - np.asarray(observations, np.float32)
        longest = np.abs(gap).max(axis=-1, keepdims=True)
        return np.asarray(gap / np.maximum(longest, np.float32(1.0)), dtype=np.float32)
