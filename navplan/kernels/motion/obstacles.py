"""Obstacles as rectangles and segments: covering walls, listing what is near each cell, distance and inside tests.

All coordinates are (row, col) in cell units. A cell's candidate list holds every obstacle that can be within the hazard radius
of some point at most one environment step away from that cell, so that a whole step needs one look-up.

Tested through tests/scenarios/worlds/test_geometry.py.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import inner, kernel

FREE, BLOCKED, MIXED = 0, 1, 2
HAZARD_NONE, HAZARD_LINEAR, HAZARD_COSINE, HAZARD_CONSTANT = 0, 1, 2, 3

# Bound of the rounding error of `orientation`, relative to the sum of its two products (Shewchuk 1997, ccwerrboundA).
_ORIENTATION_ERROR = 4e-16
# One step moves at most one cell per axis; the slack covers the rounding of ten float32 additions in maps up to 16384 cells.
REACH = 1.0 + 1.0 / 64.0


@kernel
def cover_rectangles(walls, rectangles):
    """Cover the wall cells with maximal rectangles, which may overlap: the distance to their union is that to the walls.

    Args:
        walls: (H, W) bool.
        rectangles: (>= number of wall cells, 4) float32, filled with (row0, col0, row1, col1).

    Returns:
        The number of rectangles.
    """
    height, width = walls.shape
    covered = np.zeros((height, width), dtype=np.bool_)
    count = 0
    for i in range(height):
        for j in range(width):
            if not walls[i, j] or covered[i, j]:
                continue
            left, right = j, j + 1
            while left > 0 and walls[i, left - 1]:
                left -= 1
            while right < width and walls[i, right]:
                right += 1
            top, bottom = _stretch(walls, i, left, right)
            tall_top, tall_bottom = _stretch(walls, i, j, j + 1)
            tall_left, tall_right = j, j + 1
            while tall_left > 0 and walls[tall_top:tall_bottom, tall_left - 1].all():
                tall_left -= 1
            while tall_right < width and walls[tall_top:tall_bottom, tall_right].all():
                tall_right += 1
            if (tall_bottom - tall_top) * (tall_right - tall_left) > (bottom - top) * (right - left):
                top, bottom, left, right = tall_top, tall_bottom, tall_left, tall_right
            for each in range(top, bottom):
                fill(covered[each], left, right, True)
            rectangles[count, 0] = top
            rectangles[count, 1] = left
            rectangles[count, 2] = bottom
            rectangles[count, 3] = right
            count += 1
    return count


@inner
def _stretch(walls, i, left, right):
    """Rows [top, bottom) around row i in which the columns [left, right) are all wall."""
    top, bottom = i, i + 1
    while top > 0 and walls[top - 1, left:right].all():
        top -= 1
    while bottom < walls.shape[0] and walls[bottom, left:right].all():
        bottom += 1
    return top, bottom


@kernel
def list_near_cells(boxes, reach, rows, cols, counts, indptr, ids):
    """List for each cell the boxes within `reach` (Chebyshev) of it, in two passes.

    Args:
        boxes: (N, 4) float64 bounding boxes (row0, col0, row1, col1).
        reach: distance in cells.
        rows, cols: number of cells.
        counts: True for the first pass, which fills indptr[cell + 1] with sizes; False for the second, which fills `ids`.
        indptr: (rows * cols + 1,) int64; in the second pass the running offsets, which it leaves shifted by one cell.
        ids: int32, all candidates.
    """
    for n in range(len(boxes)):
        top = max(0, math.floor(boxes[n, 0] - reach) - 1)
        left = max(0, math.floor(boxes[n, 1] - reach) - 1)
        bottom = min(rows, math.floor(boxes[n, 2] + reach) + 2)
        right = min(cols, math.floor(boxes[n, 3] + reach) + 2)
        for i in range(top, bottom):
            gap_row = max(boxes[n, 0] - (i + 1), 0.0, i - boxes[n, 2])
            for j in range(left, right):
                gap_col = max(boxes[n, 1] - (j + 1), 0.0, j - boxes[n, 3])
                if max(gap_row, gap_col) <= reach:
                    if counts:
                        indptr[i * cols + j + 1] += 1
                    else:
                        ids[indptr[i * cols + j]] = n
                        indptr[i * cols + j] += 1


@inner
def hazard_cost(kind, radius, squared_distance):
    """Cost at a squared distance to the nearest obstacle (paper facts, section 2), 0 beyond the radius."""
    if kind == HAZARD_NONE or squared_distance > radius * radius:
        return 0.0
    if kind == HAZARD_CONSTANT:
        return 1.0
    distance = math.sqrt(squared_distance)
    if kind == HAZARD_LINEAR:
        return 2.0 - 2.0 * distance / radius
    return math.cos(math.pi * distance / radius) + 1.0


@inner
def squared_distance_to_segment(row, col, row0, col0, row1, col1):
    """Squared distance of a point to a segment, all float64."""
    along_row, along_col = row1 - row0, col1 - col0
    length = along_row * along_row + along_col * along_col
    t = 0.0
    if length > 0.0:
        t = ((row - row0) * along_row + (col - col0) * along_col) / length
        t = min(1.0, max(0.0, t))
    gap_row, gap_col = row - (row0 + t * along_row), col - (col0 + t * along_col)
    return gap_row * gap_row + gap_col * gap_col


@inner
def side(row, col, row0, col0, row1, col1):
    """Side of a point with respect to a directed line: -1, 1, or 0 where it is on the line or rounding cannot tell."""
    left = (row1 - row0) * (col - col0)
    right = (col1 - col0) * (row - row0)
    if abs(left - right) <= _ORIENTATION_ERROR * (abs(left) + abs(right)):
        return 0
    return 1 if left > right else -1


@inner
def inside_polygons(segments, indptr, ids, row, col):
    """Whether a point is inside the polygons or on their boundary: crossings of the ray along +col, holes by parity.

    Args:
        segments: (S, 4) float64 edges (row0, col0, row1, col1).
        indptr, ids: the edges that meet each unit-high band of rows.
        row, col: the point; a point that rounding cannot tell from the boundary counts as on it.
    """
    band = min(int(row), len(indptr) - 2)
    inside = False
    for k in range(indptr[band], indptr[band + 1]):
        edge = segments[ids[k]]
        row0, col0, row1, col1 = edge[0], edge[1], edge[2], edge[3]
        if max(row0, row1) < row or min(row0, row1) > row or max(col0, col1) < col:
            continue
        where = side(row, col, row0, col0, row1, col1)
        if where == 0:
            return True
        if (row0 <= row) != (row1 <= row):
            # The edge passes the point's row; it lies beyond the point when the point is on its low-column side.
            if where == (1 if row1 < row0 else -1):
                inside = not inside
    return inside


@kernel
def blocked_points(geometry, points, blocked):
    """Fill `blocked` (n,) bool for points (n, 2) float32: outside the box, in a wall cell, or in or on a polygon."""
    rows, cols = geometry.cells.shape
    for n in range(len(points)):
        row, col = points[n, 0], points[n, 1]
        blocked[n] = True
        if not (row >= 0 and row <= geometry.height and col >= 0 and col <= geometry.width):
            continue
        kind = geometry.cells[min(int(row), rows - 1), min(int(col), cols - 1)]
        if kind == FREE:
            blocked[n] = False
        elif kind == MIXED:
            blocked[n] = inside_polygons(geometry.segments, geometry.band_indptr, geometry.band_ids, float(row), float(col))


@kernel
def point_costs(geometry, points, blocked, cost):
    """Fill `cost` (n,) float32 with the hazard cost at points (n, 2) float32 inside the box, distance 0 where `blocked`."""
    rows, cols = geometry.cells.shape
    for n in range(len(points)):
        row, col = float(points[n, 0]), float(points[n, 1])
        cell = min(int(row), rows - 1) * cols + min(int(col), cols - 1)
        nearest = np.inf
        for k in range(geometry.rectangle_indptr[cell], geometry.rectangle_indptr[cell + 1]):
            box = geometry.rectangles[geometry.rectangle_ids[k]]
            gap_row = max(box[0] - row, 0.0, row - box[2])
            gap_col = max(box[1] - col, 0.0, col - box[3])
            nearest = min(nearest, gap_row * gap_row + gap_col * gap_col)
        for k in range(geometry.segment_indptr[cell], geometry.segment_indptr[cell + 1]):
            edge = geometry.segments[geometry.segment_ids[k]]
            nearest = min(nearest, squared_distance_to_segment(row, col, edge[0], edge[1], edge[2], edge[3]))
        if blocked[n]:
            nearest = 0.0
        cost[n] = hazard_cost(geometry.hazard_kind, geometry.hazard_radius, nearest)
