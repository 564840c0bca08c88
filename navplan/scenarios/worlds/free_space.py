"""The free space of a world, compiled: asked about many points at once, drawn from, and priced."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion import obstacles
from navplan.kernels.motion.body import lacking_room
from navplan.scenarios.worlds.geometry import Disc, Geometry
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Float64
from navplan.system.numbers import Rng, as_points, check_whole, generator
from navplan.system.words import said

_MOST = 1 << 30

DIRECTIONS = 64
"""In which the nearest free point is looked for at first."""


def _ways(angles: Float64 | float) -> Float64:
    """(..., 2) unit vectors."""
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1)


class FreeSpace:
    """The points of a world that lie in its box and outside all obstacles, and with a radius: where a disc of it has room.

    Attributes:
        world: map and hazard.
        radius: cells that the points keep from obstacles and from the edge; 0: none.
        geometry: the world as the kernels' arrays.
        body: the disc among its obstacles; None for a radius of 0.

    Raises:
        InvalidInput: as `Geometry.from_world`, or the world has no free cell.
    """

    def __init__(self, world: World, radius: float = 0.0) -> None:
        self.world = world
        self.radius = radius
        self.geometry = Geometry.from_world(world)
        self.body = Disc.of(self.geometry, float(radius)) if radius > 0 else None
        self._open_cells = np.argwhere(self.geometry.cells != obstacles.BLOCKED).astype(np.int32)
        if len(self._open_cells) == 0:
            raise InvalidInput(f"world {world.name!r} has no free cell")

    def sample(self, n: int, rng: Rng) -> Float32:
        """(n, 2) float32 points uniform over the free space (cells drawn uniformly, then a point in the cell).

        Raises:
            InvalidInput: the free part of a polygon world, or what has room for the radius, is too small to be hit.
        """
        check_whole(n=n)
        if not 0 <= n <= _MOST:
            raise InvalidInput(f"n is {said(n)}, expected 0 to {_MOST}")
        draws, points = generator(rng), np.empty((n, 2), dtype=np.float32)
        missing = np.arange(n)
        for _ in range(1000):
            if len(missing) == 0:
                return points
            cells = self._open_cells[draws.integers(len(self._open_cells), size=len(missing))]
            points[missing] = (cells + draws.random((len(missing), 2))).astype(np.float32)
            # Rounding to float32 may reach the next cell, so grid points are tested too.
            missing = missing[~self.is_free(points[missing])]
        body = f" with room for a body of radius {self.radius:g}" if self.radius > 0 else ""
        raise InvalidInput(f"world {self.world.name!r}: no free point{body} found in 1000 draws")

    def is_free(self, points: ArrayLike) -> Bool:
        """Which of the points (..., 2) lie in the box, outside all obstacles and `radius` from both, up to 1e-6 cells.

        Points that are not finite do not.
        """
        array = np.ascontiguousarray(as_points(points, "points", np.float32))
        flat = array.reshape(-1, 2)
        blocked = np.empty(len(flat), dtype=np.bool_)
        obstacles.blocked_points(self.geometry, flat, blocked)
        if self.body is not None:
            lacking_room(self.geometry, self.body, flat, blocked)
        return ~blocked.reshape(array.shape[:-1])

    def nearest(self, points: ArrayLike) -> Float32:
        """The points (..., 2), each that is not free replaced by the nearest free one, float32.

        Directions are tried, first around it, then around the best: a corner that is nearer by a twentieth may be missed.

        Raises:
            InvalidInput: a point is not finite.
        """
        array = np.array(points, dtype=np.float32)
        flat = array.reshape(-1, 2)
        if not np.isfinite(flat).all():
            index = int(np.argmin(np.isfinite(flat).all(axis=1)))
            raise InvalidInput(f"point {index} is {flat[index].tolist()}, expected two finite numbers")
        for row in np.flatnonzero(~self.is_free(flat)):
            flat[row] = self._nearest(flat[row].astype(np.float64))
        return array

    def _nearest(self, point: Float64) -> Float32:
        """As `nearest`, of one point (2,) that is not free."""
        low, high = self.radius, np.array([self.geometry.height, self.geometry.width], dtype=np.float64) - self.radius
        from_edge = np.clip(point, low, high)
        if self.is_free(from_edge):
            return from_edge.astype(np.float32)
        turn = 2.0 * np.pi / DIRECTIONS
        angles = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False, dtype=np.float64)
        inner, outer = 0.0, 1e-3
        while outer < 2.0 * float(np.hypot(*high)) + float(np.linalg.norm(point)):
            free = self.is_free(point + outer * _ways(angles))
            if free.any():
                found, angle = self._border(point, angles[free], inner, outer)
                finer = np.linspace(angle - turn, angle + turn, DIRECTIONS + 1, dtype=np.float64)
                finer = finer[self.is_free(point + found * _ways(finer))]
                found, angle = self._border(point, finer, inner, found)
                return np.asarray(point + found * _ways(angle), dtype=np.float32)
            inner, outer = outer, 1.05 * outer
        raise InvalidInput(f"world {self.world.name!r}: no free point found around {point.tolist()}")

    def _border(self, point: Float64, angles: Float64, inner: float, outer: float) -> tuple[float, float]:
        """The least distance from a point at which it is free along one of the angles (K,), and that angle.

        At `outer` all are free, at `inner` none; what is between is halved.
        """
        near, far = np.full(len(angles), inner), np.full(len(angles), outer)
        for _ in range(20):
            middle = 0.5 * (near + far)
            free = self.is_free(point + middle[:, None] * _ways(angles))
            near, far = np.where(free, near, middle), np.where(free, middle, far)
        best = int(np.argmin(far))
        return float(far[best]), float(angles[best])

    def cost_at(self, points: ArrayLike) -> Float32:
        """Hazard cost (...) float32 of standing at the points (..., 2); in an obstacle it is that of distance 0.

        Raises:
            InvalidInput: a point is not finite or outside the box.
        """
        array = np.ascontiguousarray(as_points(points, "points", np.float32))
        flat = array.reshape(-1, 2)
        limits = np.array([self.geometry.height, self.geometry.width], dtype=np.float32)
        outside = ~((flat >= 0) & (flat <= limits)).all(axis=1)
        if outside.any():
            index = int(np.argmax(outside))
            raise InvalidInput(f"point {index} is {flat[index].tolist()}, expected a point in the box {limits.tolist()}")
        blocked = np.empty(len(flat), dtype=np.bool_)
        obstacles.blocked_points(self.geometry, flat, blocked)
        cost = np.empty(len(flat), dtype=np.float32)
        obstacles.point_costs(self.geometry, flat, blocked, cost)
        return cost.reshape(array.shape[:-1])
