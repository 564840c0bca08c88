"""The static surroundings: an occupancy grid or shapely polygons in a box, and the hazard field around the obstacles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from shapely import covers
from shapely import points as shapely_points
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.overlap import beyond_edge, in_cells, in_polygons
from navplan.system.arrays import Bool, Float64

HazardKind = Literal["none", "linear", "cosine", "constant"]
HAZARD_KINDS: tuple[HazardKind, ...] = ("none", "linear", "cosine", "constant")

MAX_CELLS = 1 << 26
"""No map of more cells than this is built or read: a scale or header that asks for more is a mistake."""


@dataclass(frozen=True)
class Hazard:
    """Cost per environment step as a function of the distance d to the nearest obstacle; 0 where d > radius.

    linear: 2 - 2 d / radius; cosine: cos(pi d / radius) + 1; constant: 1 (docs/paper.md, section 2).
    """

    kind: HazardKind = "none"
    radius: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in HAZARD_KINDS:
            raise InvalidInput(f"hazard kind is {self.kind!r}, expected one of {', '.join(HAZARD_KINDS)}")
        if not math.isfinite(self.radius) or self.radius < 0 or (self.kind != "none" and self.radius == 0):
            raise InvalidInput(f"hazard radius is {self.radius}, expected a positive number of cells")

    def cost(self, distance: Float64) -> Float64:
        """Cost of one step at distances (...) from the nearest obstacle, cells."""
        if self.kind == "none":
            return np.zeros_like(distance)
        share = np.clip(distance / self.radius, 0.0, None)
        if self.kind == "linear":
            cost = 2.0 - 2.0 * share
        elif self.kind == "cosine":
            cost = np.cos(np.pi * np.minimum(share, 1.0)) + 1.0
        else:
            cost = np.ones_like(share)
        return np.where(share <= 1.0, cost, 0.0)

    @property
    def peak(self) -> float:
        """The largest cost of one step."""
        return {"none": 0.0, "constant": 1.0}.get(self.kind, 2.0)


@dataclass(frozen=True, eq=False)
class World:
    """A box [0, height] x [0, width] in cell units with obstacles; the outer boundary stops motion but is no hazard.

    Exactly one of `walls` and `polygons` describes the obstacles. Coordinates are (row, col), row 0 at the top; a polygon's
    vertices are (row, col) too. A point is blocked when it lies outside the box, in a wall cell, or inside a polygon
    (polygon boundaries included).

    Attributes:
        name: what it is called in summaries and pictures.
        walls: (H, W) bool, True = wall, or None for a polygon world.
        polygons: obstacles of a polygon world, empty for a grid world.
        height, width: size of the box in cells.
        hazard: cost field around the obstacles.
        resolution: metres per cell, where the source says so.
    """

    name: str
    walls: Bool | None
    height: float
    width: float
    polygons: tuple[Polygon, ...] = ()
    hazard: Hazard = field(default_factory=Hazard)
    resolution: float = 1.0

    def __post_init__(self) -> None:
        if self.walls is not None:
            walls = np.ascontiguousarray(self.walls, dtype=np.bool_)
            if walls.ndim != 2 or walls.size == 0:
                raise InvalidInput(f"world {self.name!r}: walls have shape {walls.shape}, expected (H, W), both at least 1")
            if self.polygons:
                raise InvalidInput(f"world {self.name!r}: give walls or polygons, not both")
            if (self.height, self.width) != walls.shape:
                raise InvalidInput(f"world {self.name!r}: size {self.height} x {self.width} is not that of walls {walls.shape}")
            walls.setflags(write=False)
            object.__setattr__(self, "walls", walls)
        elif not (0 < self.height < math.inf and 0 < self.width < math.inf):
            raise InvalidInput(f"world {self.name!r}: size {self.height} x {self.width}, expected positive numbers")

    @classmethod
    def from_walls(cls, name: str, walls: Bool, hazard: Hazard | None = None, resolution: float = 1.0) -> World:
        """A grid world; `walls` is (H, W) bool, True = wall."""
        array = np.asarray(walls, dtype=np.bool_)
        rows, cols = array.shape if array.ndim == 2 else (0, 0)
        return cls(name, array, float(rows), float(cols), hazard=hazard or Hazard(), resolution=resolution)

    @property
    def is_grid(self) -> bool:
        """True for an occupancy grid, False for polygons."""
        return self.walls is not None

    def blocked(self, points: ArrayLike) -> Bool:
        """(N,) bool: which of the points (N, 2) lie outside the box, in a wall cell, or in a polygon, its boundary included."""
        array = np.asarray(points, dtype=np.float64)
        rows, cols = array[:, 0], array[:, 1]
        with np.errstate(invalid="ignore"):
            blocked = ~((rows >= 0) & (rows <= self.height) & (cols >= 0) & (cols <= self.width))
        inside = np.flatnonzero(~blocked)
        if self.walls is not None:
            height, width = self.walls.shape
            i = np.minimum(rows[inside].astype(np.int64), height - 1)
            j = np.minimum(cols[inside].astype(np.int64), width - 1)
            blocked[inside] = self.walls[i, j]
        else:
            places = shapely_points(array[inside])
            for polygon in self.polygons:
                blocked[inside] |= covers(polygon, places)
        return blocked

    def overlaps(self, points: ArrayLike, radius: float) -> Bool:
        """(...) bool: discs about the points (..., 2) that reach over 1e-6 cells into an obstacle or over the edge."""
        array = np.asarray(points, dtype=np.float64)
        flat = array.reshape(-1, 2)
        found = beyond_edge(flat, radius, self.height, self.width)
        within = np.flatnonzero(~found)
        if self.walls is not None:
            found[within] = in_cells(flat[within], radius, self.walls)
        else:
            found[within] = in_polygons(flat[within], radius, self.polygons)
        return found.reshape(array.shape[:-1])
