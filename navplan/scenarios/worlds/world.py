"""The static surroundings: an occupancy grid or shapely polygons in a box, and the hazard field around the obstacles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.overlap import beyond_edge, in_cells, in_polygons
from navplan.system.arrays import Bool, Float64
from navplan.system.lazy import lazily
from navplan.system.numbers import as_flags, as_points, check_choice, check_kind, check_numbers, check_radius

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

HazardKind = Literal["none", "linear", "cosine", "constant"]
HAZARD_KINDS: tuple[HazardKind, ...] = ("none", "linear", "cosine", "constant")

_SLACK = 1e-9  # rooms are compared with radii up to rounding
# Shapes are made for so many at a time: each takes some hundred bytes.
_AT_ONCE = 100_000


@dataclass(frozen=True)
class Hazard:
    """Cost per environment step as a function of the distance d to the nearest obstacle; 0 where d > radius.

    linear: 2 - 2 d / radius; cosine: cos(pi d / radius) + 1; constant: 1 (docs/paper.md, section 2).
    """

    kind: HazardKind = "none"
    radius: float = 0.0

    def __post_init__(self) -> None:
        check_choice("hazard kind", self.kind, HAZARD_KINDS)
        check_numbers(**{"hazard radius": self.radius})
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
    polygons: tuple[shapely.Polygon, ...] = ()
    hazard: Hazard = field(default_factory=Hazard)
    resolution: float = 1.0

    def __post_init__(self) -> None:
        check_kind(self.hazard, Hazard, "hazard", "a Hazard")
        check_numbers(height=self.height, width=self.width, resolution=self.resolution)
        if self.walls is not None:
            walls = np.ascontiguousarray(as_flags(self.walls, "walls", "True for a wall and False for a free cell"))
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
        array = as_flags(walls, "walls", "True for a wall and False for a free cell")
        rows, cols = array.shape if array.ndim == 2 else (0, 0)
        return cls(name, array, float(rows), float(cols), hazard=Hazard() if hazard is None else hazard, resolution=resolution)

    @property
    def is_grid(self) -> bool:
        """True for an occupancy grid, False for polygons."""
        return self.walls is not None

    def blocked(self, points: ArrayLike) -> Bool:
        """(N,) bool: which of the points (N, 2) lie outside the box, in a wall cell, or in a polygon, its boundary included."""
        array = as_points(points, "points").reshape(-1, 2)
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
            places = shapely.points(array[inside])
            for polygon in self.polygons:
                blocked[inside] |= shapely.covers(polygon, places)
        return blocked

    def overlaps(self, points: ArrayLike, radius: float) -> Bool:
        """(...) bool: discs about the points (..., 2) that reach over 1e-6 cells into an obstacle or over the edge."""
        check_radius(radius)
        array = as_points(points, "points")
        flat = array.reshape(-1, 2)
        found = beyond_edge(flat, radius, self.height, self.width)
        within = np.flatnonzero(~found)
        if self.walls is not None:
            found[within] = in_cells(flat[within], radius, self.walls)
        else:
            found[within] = in_polygons(flat[within], radius, self.polygons)
        return found.reshape(array.shape[:-1])

    def room(self, points: ArrayLike) -> Float64:
        """(N,) float64 radius of the largest disc around each of the points (N, 2) that overlaps no obstacle and is in the box.

        -1 where the point itself is in an obstacle, its boundary included, or outside the box.
        """
        array = as_points(points, "points").reshape(-1, 2)
        return self._room(array, array)

    def sweep_room(self, tails: ArrayLike, heads: ArrayLike) -> Float64:
        """(M,) float64 radius of the largest disc that moves straight from each of the tails (M, 2) to its head, likewise."""
        ends = as_points(tails, "tails").reshape(-1, 2), as_points(heads, "heads").reshape(-1, 2)
        if len(ends[0]) != len(ends[1]):
            raise InvalidInput(f"{len(ends[0])} tails but {len(ends[1])} heads, expected one of each")
        return self._room(*ends)

    def _room(self, tails: Float64, heads: Float64) -> Float64:
        size = np.array([self.height, self.width])
        rim: Float64 = np.min([tails, heads, size - tails, size - heads], axis=(0, 2))
        room = np.where(rim < 0, -1.0, rim)
        tree = self._obstacle_tree
        inside = np.flatnonzero(room >= 0) if len(tree.geometries) else np.empty(0, np.int64)
        for some in (inside[i : i + _AT_ONCE] for i in range(0, len(inside), _AT_ONCE)):
            still = tails is heads
            ways = shapely.points(tails[some]) if still else shapely.linestrings(np.stack([tails[some], heads[some]], axis=1))
            (which, _), gaps = tree.query_nearest(ways, return_distance=True, all_matches=False)
            near = np.full(len(some), np.inf)
            near[which] = gaps
            room[some] = np.where(near == 0, -1.0, np.minimum(room[some], near))
        return room

    @cached_property
    def _obstacle_tree(self) -> shapely.STRtree:
        """Polygons, or the rectangles whose union is the walls."""
        if self.walls is None:
            return shapely.STRtree(list(self.polygons))
        from navplan.kernels.motion.obstacles import cover_rectangles

        found = np.empty((int(self.walls.sum()), 4), dtype=np.float32)
        top, left, bottom, right = found[: cover_rectangles(self.walls, found)].astype(np.float64).T
        return shapely.STRtree(shapely.box(top, left, bottom, right))

    def inflated(self, radius: float) -> Inflated:
        """What the centre of a body of this radius may enter.

        Example:
            >>> room = World.from_walls("room", np.zeros((4, 4), bool)).inflated(1.0)
            >>> room.is_free([[1.0, 2.0], [0.9, 2.0]]).tolist()
            [True, False]
        """
        return Inflated(self, radius)


@dataclass(frozen=True, eq=False)
class Inflated:
    """The free space of a body: where its centre may be without the body's overlapping an obstacle or leaving the box.

    Attributes:
        world: the map.
        radius: of the body, cells.

    Raises:
        InvalidInput: a radius that is negative or not finite.
    """

    world: World
    radius: float

    def __post_init__(self) -> None:
        check_radius(self.radius)

    def is_free(self, points: ArrayLike) -> Bool:
        """(N,) bool: which of the points (N, 2) the centre may be at."""
        return self.world.room(points) >= self.radius - _SLACK

    def is_free_way(self, tails: ArrayLike, heads: ArrayLike) -> Bool:
        """(M,) bool: along which straight ways, from (M, 2) to (M, 2), the centre may move."""
        return self.world.sweep_room(tails, heads) >= self.radius - _SLACK

    def sample(self, n: int, rng: np.random.Generator) -> Float64:
        """(n, 2) float64 points, uniform where the centre may be.

        Raises:
            InvalidInput: there is no such place, or too little of it to be hit.
        """
        low, high = np.full(2, self.radius), np.array([self.world.height, self.world.width]) - self.radius
        found = np.empty((0, 2))
        for _ in range(1000):
            if len(found) >= n:
                return found[:n]
            if (low > high).any():
                break
            drawn = rng.uniform(low, high, size=(max(64, 2 * n), 2))
            found = np.concatenate([found, drawn[self.is_free(drawn)]])
        raise InvalidInput(f"world {self.world.name!r}: no place found for a body of radius {self.radius:g}")
