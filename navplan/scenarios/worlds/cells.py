"""A grid laid over any world: which of its unit cells are occupied."""

from __future__ import annotations

import numpy as np
from shapely import box, intersects, prepare

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool

_MAX_SQUARES = 1 << 22


def occupied_cells(world: World) -> Bool:
    """(H, W) bool: a grid world's walls; of a polygon world every unit cell that an obstacle touches.

    In a polygon world a body of radius 0.5 or less that moves between the centres of free cells stays within those cells
    and so touches no obstacle. A cell that sticks out of the box counts as occupied.

    Raises:
        InvalidInput: a polygon world of more than 2**22 cells.
    """
    if world.walls is not None:
        return world.walls
    if np.ceil(world.height) * np.ceil(world.width) > _MAX_SQUARES:
        size = f"{world.height:g} x {world.width:g}"
        raise InvalidInput(f"world {world.name!r}: {size} is too large to lay a grid over, expected at most {_MAX_SQUARES} cells")
    height, width = int(np.ceil(world.height)), int(np.ceil(world.width))
    occupied = np.zeros((height, width), np.bool_)
    occupied[int(world.height) :, :] = True
    occupied[:, int(world.width) :] = True
    for polygon in world.polygons:
        top, left, bottom, right = polygon.bounds
        rows = np.arange(max(0, int(np.floor(top)) - 1), min(height, int(np.floor(bottom)) + 1))
        cols = np.arange(max(0, int(np.floor(left)) - 1), min(width, int(np.floor(right)) + 1))
        if len(rows) and len(cols):
            i, j = np.meshgrid(rows, cols, indexing="ij")
            prepare(polygon)
            occupied[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] |= intersects(polygon, box(i, j, i + 1, j + 1))
    return occupied
