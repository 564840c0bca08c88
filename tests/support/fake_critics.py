"""Analytic critics for graph tests: exact distances of an open field, with a hazard, asymmetric on purpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class FieldCritics:
    """Steps are the Chebyshev displacement (at least 1); uphill (growing row) takes longer; risk grows near a hazard disc."""

    def __init__(self, hazard: tuple[float, float] = (5.0, 5.0), radius: float = 3.0) -> None:
        self.hazard = np.array(hazard)
        self.radius = radius
        self.pairs = 0
        self.calls = 0

    def evaluate(self, observations: Floats, goals: Floats) -> tuple[Floats, Floats]:
        assert observations.dtype == goals.dtype == np.float32
        assert observations.shape == goals.shape
        assert observations.flags.writeable  # PyTorch warns of arrays that are not
        assert goals.flags.writeable
        self.pairs += len(observations)
        self.calls += 1
        a, b = observations.astype(np.float64), goals.astype(np.float64)
        uphill = np.maximum(b[:, 0] - a[:, 0], 0.0)
        distance = np.maximum(np.abs(a - b).max(axis=1), 1.0) + 0.25 * uphill
        depth = np.maximum(self.radius - np.linalg.norm((a + b) / 2 - self.hazard, axis=1), 0.0)
        return distance.astype(np.float32), (depth * distance).astype(np.float32)
