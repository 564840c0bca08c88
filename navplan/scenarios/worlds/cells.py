"""A grid laid over any world: which of its unit cells are occupied."""

from __future__ import annotations

import math

import numpy as np
from shapely import box, covers, intersects, prepare
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool
from navplan.system.bounds import MAX_SQUARES

_SIDES = (64, 8, 1)


def occupied_cells(world: World) -> Bool:
    """(H, W) bool: a grid world's walls; of a polygon world every unit cell that an obstacle touches.

    In a polygon world a body of radius 0.5 or less that moves between the centres of free cells stays within those cells
    and so touches no obstacle. A cell that sticks out of the box counts as occupied.

    Raises:
        InvalidInput: a polygon world of more than 2**22 cells.
    """
    if world.walls is not None:
        return world.walls
    height, width = math.ceil(world.height), math.ceil(world.width)
    if height * width > MAX_SQUARES:
        size = f"{world.height:g} x {world.width:g}"
        raise InvalidInput(f"world {world.name!r}: {size} is too large to lay a grid over, expected at most {MAX_SQUARES} cells")
    occupied = np.zeros((height, width), np.bool_)
    occupied[int(world.height) :, :] = True
    occupied[:, int(world.width) :] = True
    for polygon in world.polygons:
        prepare(polygon)
        _touch(occupied, polygon)
    return occupied


def _touch(occupied: Bool, polygon: Polygon) -> None:
    """Mark the cells that `polygon` touches: whole blocks where it covers them, and smaller ones where it only touches them."""
    height, width = occupied.shape
    corners = np.array([[0, 0]])
    for side, above in zip(_SIDES, (max(height, width) + _SIDES[0], *_SIDES)):
        offsets = np.stack(np.meshgrid(*2 * (np.arange(0, above, side),), indexing="ij"), axis=-1).reshape(-1, 2)
        corners = (corners[:, None] + offsets).reshape(-1, 2)
        corners = corners[(corners < (height, width)).all(axis=1)]
        squares = box(corners[:, 0], corners[:, 1], corners[:, 0] + side, corners[:, 1] + side)
        touched = intersects(polygon, squares)
        full = touched if side == 1 else touched & covers(polygon, squares)
        for row, col in corners[full].tolist():
            occupied[row : row + side, col : col + side] = True
        corners = corners[touched & ~full]
