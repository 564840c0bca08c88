"""Which discs reach into a wall or over the edge of the map, measured from the map as it is stated.

This judges what environments do, so it shares no code with them: cells one by one, polygons through shapely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from navplan.system.arrays import Bool, Float64
from navplan.system.lazy import lazily

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

TOLERANCE = 1e-6
"""Cells by which a disc may overlap before that counts."""


def beyond_edge(points: Float64, radius: float, height: float, width: float) -> Bool:
    """(N,) which discs about the points (N, 2) reach out of the box [0, height] x [0, width]."""
    room = np.minimum(points, np.array([height, width]) - points).min(axis=1)
    return np.asarray(~(radius - room <= TOLERANCE))


def in_cells(points: Float64, radius: float, walls: Bool) -> Bool:
    """(N,) which discs about the points (N, 2) reach into a wall cell; `walls` (H, W) bool."""
    found = np.zeros(len(points), np.bool_)
    reach = math.ceil(radius)
    padded = np.pad(walls, reach + 1)
    rows, cols = np.minimum(np.floor(points).astype(np.int64), np.array(walls.shape) - 1).T
    for i in range(-reach - 1, reach + 2):
        for j in range(-reach - 1, reach + 2):
            wall = np.flatnonzero(padded[rows + i + reach + 1, cols + j + reach + 1] & ~found)
            row, col = points[wall, 0] - (rows[wall] + i), points[wall, 1] - (cols[wall] + j)
            off_row, off_col = np.maximum(-row, row - 1), np.maximum(-col, col - 1)
            outside = np.hypot(np.maximum(off_row, 0), np.maximum(off_col, 0))
            depth = np.minimum(np.maximum(off_row, off_col), 0)  # negative inside the cell
            found[wall] = radius - (outside + depth) > TOLERANCE
    return found


def in_polygons(points: Float64, radius: float, polygons: Sequence[shapely.Polygon]) -> Bool:
    """(N,) which discs about the points (N, 2) reach into a polygon."""
    found = np.zeros(len(points), np.bool_)
    places = shapely.points(points)
    for polygon in polygons:
        shapely.prepare(polygon)
        near = np.flatnonzero(shapely.dwithin(polygon, places, radius + TOLERANCE) & ~found)
        gap = shapely.distance(polygon, places[near])
        depth = np.where(shapely.contains(polygon, places[near]), shapely.distance(polygon.boundary, places[near]), 0.0)
        found[near] = radius - gap + depth > TOLERANCE
    return found
