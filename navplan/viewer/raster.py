"""Rasters of a world: where it is blocked and what a step costs there, fine enough to look smooth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt
from shapely import contains_xy
from shapely.geometry import Point

from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float64


class Raster(NamedTuple):
    """Samples at pixel centres, `fine` pixels per cell along each axis."""

    fine: float
    blocked: Bool
    distance: Float64
    cost: Float64


def rasterise(world: World, pixels: int = 900) -> Raster:
    """The world sampled with about `pixels` along its longer side, at least one per cell of a grid."""
    longest = max(world.height, world.width)
    fine = pixels / longest
    if world.walls is not None:
        fine = float(min(max(math.floor(fine), 1), 32))
        blocked = np.kron(world.walls, np.ones((int(fine), int(fine)), np.bool_)).astype(np.bool_)
    else:
        rows = (np.arange(max(round(world.height * fine), 1)) + 0.5) / fine
        cols = (np.arange(max(round(world.width * fine), 1)) + 0.5) / fine
        blocked = np.zeros((len(rows), len(cols)), np.bool_)
        for polygon in world.polygons:
            low_row, low_col, high_row, high_col = polygon.bounds
            r = slice(*np.searchsorted(rows, [low_row, high_row]).tolist())
            c = slice(*np.searchsorted(cols, [low_col, high_col]).tolist())
            if rows[r].size and cols[c].size:
                blocked[r, c] |= contains_xy(polygon, *np.meshgrid(rows[r], cols[c], indexing="ij"))
    if world.hazard.kind == "none" or not blocked.any():
        distance = np.full(blocked.shape, np.inf)
    else:
        # from pixel centre to the near edge of the nearest blocked pixel
        distance = np.maximum(distance_transform_edt(~blocked) - 0.5, 0.0) / fine
    return Raster(fine, blocked, distance, world.hazard.cost(distance))


def hazard_at(world: World, row: float, col: float) -> tuple[float, float]:
    """Exact distance to the nearest obstacle and cost of one step at a point; (inf, 0) without obstacles."""
    distance = math.inf
    if world.walls is not None:
        cells = np.argwhere(world.walls)
        if len(cells):
            gaps = np.maximum(np.maximum(cells - (row, col), (row, col) - (cells + 1.0)), 0.0)
            distance = float(np.sqrt((gaps**2).sum(axis=1).min()))
    elif world.polygons:
        distance = float(min(polygon.distance(Point(row, col)) for polygon in world.polygons))
    return distance, float(world.hazard.cost(np.asarray([distance]))[0])
