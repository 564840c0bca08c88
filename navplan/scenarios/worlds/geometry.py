"""A world as flat arrays for the kernels: cells classed free, blocked or mixed, and the obstacles near each of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.kernels.motion import obstacles
from navplan.scenarios.worlds.world import HAZARD_KINDS, World
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64
from navplan.system.lazy import lazily

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

MAX_SIZE = 16384


class Geometry(NamedTuple):
    """Arrays of one world; R x C cells, the last row or column of which may reach beyond the box.

    Attributes:
        height, width: size of the box, float32 not above the world's.
        hazard_kind: index into HAZARD_KINDS.
        hazard_radius: cells.
        cells: (R, C) uint8, obstacles.FREE, BLOCKED or MIXED (a polygon covers a part of the closed cell).
        rectangles: (N, 4) float32 wall rectangles (row0, col0, row1, col1) whose union is the walls.
        rectangle_indptr, rectangle_ids: the rectangles that can be within the hazard radius one step from each cell.
        segments: (S, 4) float64 polygon edges (row0, col0, row1, col1).
        segment_indptr, segment_ids: the edges that can be within the hazard radius one step from each cell.
        edge_indptr, edge_ids: the edges that touch each cell.
        band_indptr, band_ids: the edges that touch each band of rows [i, i + 1].
    """

    height: np.float32
    width: np.float32
    hazard_kind: int
    hazard_radius: float
    cells: NDArray[np.uint8]
    rectangles: Float32
    rectangle_indptr: Int64
    rectangle_ids: Int32
    segments: Float64
    segment_indptr: Int64
    segment_ids: Int32
    edge_indptr: Int64
    edge_ids: Int32
    band_indptr: Int64
    band_ids: Int32

    @classmethod
    def from_world(cls, world: World) -> Geometry:
        """Flatten a grid or polygon world.

        Raises:
            InvalidInput: a polygon is invalid (self-crossing, not finite), or the world is larger than 16384 cells a side,
                where float32 positions get too coarse for sub-steps.
        """
        if max(world.height, world.width) > MAX_SIZE:
            raise InvalidInput(f"world {world.name!r}: size {world.height} x {world.width}, expected at most {MAX_SIZE} a side")
        if world.walls is not None:
            cells = world.walls.astype(np.uint8)
            rectangles = _wall_rectangles(world.walls)
            segments = np.empty((0, 4), dtype=np.float64)
        else:
            union = _polygon_union(world)
            segments = _edges(union)
            cells = _classify(union, math.ceil(world.height), math.ceil(world.width))
            rectangles = np.empty((0, 4), dtype=np.float32)
        shape = cells.shape
        boxes = np.column_stack(
            [
                np.minimum(segments[:, :2], segments[:, 2:]),
                np.maximum(segments[:, :2], segments[:, 2:]),
            ]
        )
        hazard = world.hazard
        rectangle_lists = _near_cells(rectangles.astype(np.float64), hazard.radius + obstacles.REACH, shape, hazard.radius > 0)
        segment_lists = _near_cells(boxes, hazard.radius + obstacles.REACH, shape, hazard.radius > 0)
        bands = boxes.copy()
        bands[:, [1, 3]] = (0.0, 1.0)
        return cls(
            _float32_at_most(world.height),
            _float32_at_most(world.width),
            HAZARD_KINDS.index(hazard.kind),
            float(hazard.radius),
            cells,
            rectangles,
            *rectangle_lists,
            segments,
            *segment_lists,
            *_near_cells(boxes, 0.0, shape, True),
            *_near_cells(bands, 0.0, (shape[0], 1), True),
        )


class Disc(NamedTuple):
    """A disc, and which obstacles of a `Geometry` it can touch.

    Attributes:
        radius: cells, more than 0.
        rectangle_indptr, rectangle_ids: the rectangles that it can touch one step from each cell.
        segment_indptr, segment_ids: the polygon edges likewise.
    """

    radius: float
    rectangle_indptr: Int64
    rectangle_ids: Int32
    segment_indptr: Int64
    segment_ids: Int32

    @classmethod
    def of(cls, geometry: Geometry, radius: float) -> Disc:
        """A disc of `radius` cells among the obstacles of `geometry`."""
        segments, reach, shape = geometry.segments, radius + obstacles.REACH, geometry.cells.shape
        boxes = np.column_stack([np.minimum(segments[:, :2], segments[:, 2:]), np.maximum(segments[:, :2], segments[:, 2:])])
        rectangles = geometry.rectangles.astype(np.float64)
        return cls(radius, *_near_cells(rectangles, reach, shape, True), *_near_cells(boxes, reach, shape, True))


def _float32_at_most(value: float) -> np.float32:
    rounded = np.float32(value)
    return rounded if float(rounded) <= value else np.nextafter(rounded, np.float32(0))


def _wall_rectangles(walls: Bool) -> Float32:
    found = np.empty((int(walls.sum()), 4), dtype=np.float32)
    return found[: obstacles.cover_rectangles(walls, found)].copy()


def _polygon_union(world: World) -> shapely.Geometry:
    for index, polygon in enumerate(world.polygons):
        if not polygon.is_valid or not np.isfinite(shapely.get_coordinates(polygon)).all():
            reason = shapely.is_valid_reason(polygon)
            raise InvalidInput(f"world {world.name!r}: polygon {index} is invalid ({reason}), expected a simple polygon")
    return shapely.union_all(list(world.polygons))


def _edges(union: shapely.Geometry) -> Float64:
    """(S, 4) float64 edges of all rings, holes included."""
    parts = []
    for polygon in shapely.get_parts(union):
        for ring in (polygon.exterior, *polygon.interiors):
            points = shapely.get_coordinates(ring)
            parts.append(np.column_stack([points[:-1], points[1:]]))
    return np.concatenate(parts) if parts else np.empty((0, 4), dtype=np.float64)


def _classify(union: shapely.Geometry, rows: int, cols: int) -> NDArray[np.uint8]:
    cells = np.full((rows, cols), obstacles.FREE, dtype=np.uint8)
    if union.is_empty:
        return cells
    shapely.prepare(union)
    row, col = (index.ravel() for index in np.indices((rows, cols)))
    squares = shapely.box(row, col, row + 1, col + 1)
    touched = shapely.intersects(union, squares)
    covered = shapely.covers(union, squares)
    cells.ravel()[touched] = obstacles.MIXED
    cells.ravel()[covered] = obstacles.BLOCKED
    return cells


def _near_cells(boxes: Float64, reach: float, shape: tuple[int, int], wanted: bool) -> tuple[Int64, Int32]:
    indptr = np.zeros(shape[0] * shape[1] + 1, dtype=np.int64)
    ids = np.empty(0, dtype=np.int32)
    if wanted and len(boxes):
        obstacles.list_near_cells(boxes, reach, shape[0], shape[1], True, indptr, ids)
        np.cumsum(indptr, out=indptr)
        ids = np.empty(int(indptr[-1]), dtype=np.int32)
        running = indptr.copy()
        obstacles.list_near_cells(boxes, reach, shape[0], shape[1], False, running, ids)
    return indptr, ids
