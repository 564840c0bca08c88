"""Edges priced as lanes: what agents pay that drive beside the line, as they do.

An agent goes on to its next waypoint as soon as it is near the present one, so it hardly ever enters an edge at its tail, and a
search picks the edges whose lines just miss a hazard. Pricing both sides of a lane takes that choice away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.critics import EdgeCritics, answered
from navplan.system.arrays import Float32


class LaneCritics:
    """Edge critics (navplan.graph.critics.EdgeCritics) whose risk is the mean of an edge's two parallels at `half_width`.

    Distances are those of the edge itself, and so is the risk of waiting (a pair of equal points). Parallels are shifted to the
    left and to the right by `half_width` cells, both ends alike, and kept on the map.

    Args:
        critics: what judges edge and parallels.
        half_width: cells, > 0.
        size: (H, W) of the map in cells.

    Raises:
        InvalidInput: a width or size that is not positive.
    """

    def __init__(self, critics: EdgeCritics, half_width: float, size: tuple[float, float]) -> None:
        if not (half_width > 0 and min(size) > 0):
            raise InvalidInput(f"lane of half width {half_width} on a map of {size}, expected positive numbers")
        self.critics = critics
        self.half_width = half_width
        # just inside: a coordinate equal to the size would lie beyond the last cell
        self._last = np.nextafter(np.array(size, np.float32), np.float32(0))

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """(B, 2), (B, 2) cells -> distance (B,) and risk (B,) float32, see the class."""
        tails, heads = np.asarray(observations, np.float32), np.asarray(goals, np.float32)
        distance, risk = (answer.astype(np.float32) for answer in answered(self.critics, tails, heads))
        ahead = heads - tails
        length = np.linalg.norm(ahead, axis=1)
        moving = np.flatnonzero(length > 0)
        if not moving.size:
            return distance, risk
        left = ahead[moving][:, ::-1] / length[moving, None] * np.array([self.half_width, -self.half_width], np.float32)
        sides = [self._side(tails[moving], heads[moving], shift) for shift in (left, -left)]
        risk = risk.copy()
        risk[moving] = (sides[0] + sides[1]) / 2
        return distance, risk

    def _side(self, tails: Float32, heads: Float32, shift: Float32) -> Float32:
        moved = (np.clip(points + shift, 0, self._last).astype(np.float32) for points in (tails, heads))
        return answered(self.critics, *moved)[1].astype(np.float32)
