"""A world whose obstacles stand elsewhere than the map says: what those who know the old map only run into."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage
from shapely.affinity import translate

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool

_TOUCHING = np.ones((3, 3), np.bool_)


def with_moved_obstacles(world: World, columns: int) -> World:
    """`world` with every obstacle that does not touch the edge moved by `columns` cells, to the right where that is positive.

    Obstacles of a grid are walls that touch, at corners too. What comes to lie on another wall lies on it.

    Raises:
        InvalidInput: no obstacle stands free of the edge, or one would be moved over it.
    """
    if world.walls is not None:
        return replace(world, walls=_moved_walls(world.name, world.walls, columns))
    apart = [
        p.bounds[0] > 0 and p.bounds[1] > 0 and p.bounds[2] < world.height and p.bounds[3] < world.width for p in world.polygons
    ]
    moved = tuple(translate(p, yoff=columns) if free else p for p, free in zip(world.polygons, apart, strict=True))
    if not any(apart):
        raise InvalidInput(f"world {world.name!r}: no obstacle stands free of the edge")
    if any(p.bounds[1] < 0 or p.bounds[3] > world.width for p, free in zip(moved, apart, strict=True) if free):
        raise _too_far(world.name, columns)
    return replace(world, polygons=moved)


def _moved_walls(name: str, walls: Bool, columns: int) -> Bool:
    labels, _ = ndimage.label(walls, structure=_TOUCHING)
    fixed = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    apart = walls & ~np.isin(labels, fixed)
    if not apart.any():
        raise InvalidInput(f"world {name!r}: no obstacle stands free of the edge")
    rows, cols = np.nonzero(apart)
    if (cols + columns < 0).any() or (cols + columns >= walls.shape[1]).any():
        raise _too_far(name, columns)
    found: Bool = walls & ~apart
    found[rows, cols + columns] = True
    return found


def _too_far(name: str, columns: int) -> InvalidInput:
    return InvalidInput(f"world {name!r}: an obstacle moved by {columns} columns would leave the map")
