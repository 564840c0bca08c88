"""A grid laid over any world: which of its unit cells are occupied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Int64
from navplan.system.bounds import MAX_OUTLINE, MAX_SQUARES
from navplan.system.lazy import lazily

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

_SIDES = (64, 16, 4, 1)
_AT_ONCE = 100_000


def occupied_cells(world: World) -> Bool:
    """(H, W) bool: a grid world's walls; of a polygon world every unit cell that an obstacle touches.

    In a polygon world a body of radius 0.5 or less that moves between the centres of free cells stays within those cells
    and so touches no obstacle. A cell that sticks out of the box counts as occupied.

    Raises:
        InvalidInput: a polygon world of more than 2**20 cells, or of more than 2**17 cells of outline.
    """
    if world.walls is not None:
        return world.walls
    height, width = math.ceil(world.height), math.ceil(world.width)
    if height * width > MAX_SQUARES:
        size = f"{world.height:g} x {world.width:g}"
        raise InvalidInput(f"world {world.name!r}: {size} is too large to lay a grid over, expected at most {MAX_SQUARES} cells")
    outline = float(shapely.length(np.array(world.polygons, dtype=object)).sum())
    if outline > MAX_OUTLINE:
        what = f"obstacles have {outline:.0f} cells of outline"
        raise InvalidInput(f"world {world.name!r}: {what}, too much to lay a grid over, expected at most {MAX_OUTLINE}")
    occupied = np.zeros((height, width), np.bool_)
    occupied[int(world.height) :, :] = True
    occupied[:, int(world.width) :] = True
    _touch(occupied, np.array(world.polygons, dtype=object))
    return occupied


def _touch(occupied: Bool, polygons: NDArray[np.object_]) -> None:
    """Mark the cells that any of the polygons touches: whole blocks where one covers them, else smaller ones.

    All polygons go through the same sizes of blocks together: pairs of a block and a polygon that touches it.
    """
    shapely.prepare(polygons)
    size = np.array(occupied.shape)
    low, high = np.split(np.floor(shapely.bounds(polygons).reshape(-1, 4)), 2, axis=1)
    low, high = (np.clip(ends, 0, size - 1).astype(np.int64) // _SIDES[0] for ends in (low, high))
    counts = np.prod(high - low + 1, axis=1)
    which = np.repeat(np.arange(len(polygons)), counts)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide = (high - low + 1)[which, 1]
    corners = (low[which] + np.stack([nth // wide, nth % wide], axis=1)) * _SIDES[0]
    for side, below in zip(_SIDES, (*_SIDES[1:], 0)):
        found = [_of_size(occupied, polygons, side, *part) for part in _parts(which, corners)]
        if not found or not below:
            return
        which, corners = (np.concatenate(column) for column in zip(*found))
        steps = np.arange(0, side, below)
        offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
        corners = (corners[:, None] + offsets).reshape(-1, 2)
        which = np.repeat(which, len(offsets))
        inside = (corners < size).all(axis=1)
        which, corners = which[inside], corners[inside]


def _parts(which: Int64, corners: Int64) -> Iterator[tuple[Int64, Int64]]:
    """A few pairs at a time: squares take much memory."""
    for start in range(0, len(which), _AT_ONCE):
        yield which[start : start + _AT_ONCE], corners[start : start + _AT_ONCE]


def _of_size(occupied: Bool, polygons: NDArray[np.object_], side: int, which: Int64, corners: Int64) -> tuple[Int64, Int64]:
    """Mark what is decided for blocks of one size; the pairs that are to be looked at in smaller ones."""
    free = ~_all_marked(occupied, corners, side)
    which, corners = which[free], corners[free]
    squares = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + side, corners[:, 1] + side)
    touched = shapely.intersects(polygons[which], squares)
    full = touched & (shapely.covers(polygons[which], squares) if side > 1 else True)
    if side == 1:
        occupied[corners[full, 0], corners[full, 1]] = True
    else:
        for row, col in zip(*_distinct(occupied, corners[full])[0].tolist()):
            occupied[row : row + side, col : col + side] = True
    left = touched & ~full
    return which[left], corners[left]


def _all_marked(occupied: Bool, corners: Int64, side: int) -> Bool:
    """Which blocks are occupied from corner to corner already."""
    if side == 1:
        return occupied[corners[:, 0], corners[:, 1]]
    blocks, back = _distinct(occupied, corners)
    marked = [occupied[row : row + side, col : col + side].all() for row, col in zip(*blocks.tolist())]
    return np.array(marked, np.bool_)[back]


def _distinct(occupied: Bool, corners: Int64) -> tuple[Int64, Int64]:
    """(2, K) rows and columns of the different corners, and which of them each is."""
    keys, back = np.unique(corners[:, 0] * occupied.shape[1] + corners[:, 1], return_inverse=True)
    return np.stack(np.divmod(keys, occupied.shape[1])), back
