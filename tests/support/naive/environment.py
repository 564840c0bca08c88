"""The slow, obviously right environment: one agent at a time, numpy float32 scalars, shapely for obstacles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry import LineString, Point, box

from navplan.scenarios.worlds.world import Hazard, World
from navplan.system.arrays import Bool, Float32

DT = np.float32(0.1)


class NaiveEnv:
    """Positions, cost and contacts of single steps in a navplan World, written from the paper's description."""

    def __init__(self, world: World) -> None:
        self.world = world
        if world.walls is not None:
            squares = [box(i, j, i + 1, j + 1) for i, j in np.argwhere(world.walls)]
            self.obstacles = shapely.union_all(squares)
        else:
            self.obstacles = shapely.union_all(list(world.polygons))

    def in_box(self, row: float, col: float) -> bool:
        """Whether a point lies in the world's box, its border included."""
        return 0 <= float(row) <= self.world.height and 0 <= float(col) <= self.world.width

    def blocked(self, row: float, col: float) -> bool:
        """Whether a point lies in an obstacle or outside the box."""
        if not self.in_box(row, col):
            return True
        if self.world.walls is not None:
            rows, cols = self.world.walls.shape
            return bool(self.world.walls[min(math.floor(row), rows - 1), min(math.floor(col), cols - 1)])
        return bool(self.obstacles.intersects(Point(float(row), float(col))))

    def move_blocked(self, start: Sequence[float] | Float32, end: Sequence[float] | Float32) -> bool:
        """Whether the straight way between two points is barred: on grids its end counts, among polygons the segment too."""
        if self.blocked(*end):
            return True
        if self.world.walls is not None:
            return False
        line = LineString([[float(v) for v in start], [float(v) for v in end]])
        return bool(self.obstacles.intersects(line)) if line.length > 0 else False

    def distance(self, row: float, col: float) -> float:
        """From a point to the nearest obstacle."""
        return self.obstacles.distance(Point(float(row), float(col))) if not self.obstacles.is_empty else math.inf

    def cost(self, row: float, col: float) -> float:
        """Hazard cost at a point."""
        return hazard(self.world.hazard, self.distance(row, col))

    def positions(self, state: ArrayLike, action: ArrayLike) -> tuple[Float32, int]:
        """20 half-step positions, and how many moves were rejected."""
        action = np.clip(np.asarray(action, dtype=np.float32), np.float32(-1), np.float32(1))
        current = np.array(state, dtype=np.float32)
        passed: list[Float32] = []
        rejected = 0
        for _ in range(10):
            for axis in range(2):
                candidate = current.copy()
                candidate[axis] = candidate[axis] + DT * action[axis]
                if self.move_blocked(current, candidate):
                    rejected += 1
                else:
                    current = candidate
                passed.append(current.copy())
        return np.array(passed), rejected

    def step_cost(self, state: ArrayLike, passed: Float32) -> float:
        """The highest hazard cost of a step: at its start and at all half-steps."""
        return max(self.cost(*point) for point in [np.asarray(state), *passed])


def hazard(hazard: Hazard, distance: float) -> float:
    """Hazard cost at a distance from the nearest obstacle."""
    if hazard.kind == "none" or distance > hazard.radius:
        return 0.0
    if hazard.kind == "linear":
        return 2 - 2 * distance / hazard.radius
    if hazard.kind == "cosine":
        return math.cos(math.pi * distance / hazard.radius) + 1
    return 1.0


def contacts(passed: Sequence[Float32] | Float32, radius: float) -> Bool:
    """(A, A) bool from (A, 20, 2) positions."""
    agents = len(passed)
    result = np.zeros((agents, agents), dtype=bool)
    for a in range(agents):
        for b in range(agents):
            for k in range(20):
                gap = passed[a][k].astype(np.float64) - passed[b][k].astype(np.float64)
                if a != b and gap @ gap < (2.0 * radius) ** 2:
                    result[a, b] = True
    return result
