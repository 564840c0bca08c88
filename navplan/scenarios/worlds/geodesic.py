"""True geodesic steps of a map, for problem sets, figures and tests; learning and execution never see them.

Distances are the paper's: hops on the 8-connected grid of free cells, diagonals counting one, corners cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion import obstacles
from navplan.kernels.search import hops as kernels
from navplan.scenarios.worlds.geometry import Geometry
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Int64


def occupied_centres(world: World) -> Bool:
    """(H, W) bool cells that the geodesics avoid: the walls, or the cells of a polygon world whose centre is not free.

    Fewer than `navplan.scenarios.worlds.cells.occupied_cells` has, which a body keeps clear of.
    """
    if world.walls is not None:
        return world.walls
    geometry = Geometry.from_world(world)
    rows, cols = geometry.cells.shape
    centres = np.stack(np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij"), axis=-1).reshape(-1, 2) + 0.5
    blocked = np.empty(len(centres), dtype=np.bool_)
    obstacles.blocked_points(geometry, centres.astype(np.float32), blocked)
    return blocked.reshape(rows, cols)


def cell_distances(walls: Bool, sources: ArrayLike | None = None) -> Float32:
    """Hops from some cells to every cell.

    Args:
        walls: (H, W) bool.
        sources: (K, 2) integer free cells; None: all cells in row-major order, K = H * W (walls have inf everywhere).

    Returns:
        (K, H, W) float32, inf where there is no way.

    Raises:
        InvalidInput: a source is not a free cell.
    """
    walls = np.ascontiguousarray(walls, dtype=np.bool_)
    if sources is None:
        result = np.full((walls.size, *walls.shape), np.inf, dtype=np.float32)
        free = np.argwhere(~walls)
        result[np.flatnonzero(~walls.ravel())] = cell_distances(walls, free)
        return result
    cells = np.asarray(sources, dtype=np.int64).reshape(-1, 2)
    for row, col in cells:
        if not (0 <= row < walls.shape[0] and 0 <= col < walls.shape[1]) or walls[row, col]:
            raise InvalidInput(f"source cell ({row}, {col}) is not a free cell of the {walls.shape[0]} x {walls.shape[1]} map")
    hops = np.empty((len(cells), *walls.shape), dtype=np.int32)
    kernels.all_hops(walls, cells, np.empty(walls.size, dtype=np.int32), hops)
    return np.where(hops == kernels.UNREACHABLE, np.inf, hops).astype(np.float32)


def geodesic_steps(world: World, starts: ArrayLike, goals: ArrayLike) -> Float32:
    """(N,) float32 hops between the cells of starts (N, 2) and goals (N, 2), inf where there is no way.

    In a polygon world a free point may lie in a cell whose centre is not free; its distances count from that cell all the same.

    Raises:
        InvalidInput: shapes differ, a point is outside the box, or it lies in a wall cell.
    """
    begin, end = _cells(world, "start", starts), _cells(world, "goal", goals)
    if begin.shape != end.shape:
        raise InvalidInput(f"starts have shape {begin.shape} and goals {end.shape}, expected the same (N, 2)")
    walls = occupied_centres(world).copy()
    if world.walls is None:
        walls[begin[:, 0], begin[:, 1]] = False
        walls[end[:, 0], end[:, 1]] = False
    # The graph is undirected: the side with fewer distinct cells is searched from.
    if len(np.unique(end, axis=0)) < len(np.unique(begin, axis=0)):
        begin, end = end, begin
    steps = np.empty(len(begin), dtype=np.float32)
    sources, index = np.unique(begin, axis=0, return_inverse=True)
    for k, source in enumerate(sources):
        chosen = index.ravel() == k
        steps[chosen] = cell_distances(walls, source)[0][end[chosen, 0], end[chosen, 1]]
    if world.walls is not None:
        blocked = world.walls[end[:, 0], end[:, 1]]
        if blocked.any():
            raise InvalidInput(f"point in cell {end[np.argmax(blocked)].tolist()} is in a wall, expected a free point")
    return steps


def diameter(walls: Bool) -> int:
    """Largest finite hop count between two free cells, 0 without free cells."""
    walls = np.ascontiguousarray(walls, dtype=np.bool_)
    return int(kernels.farthest_hop(walls, np.empty(max(1, walls.size), dtype=np.int32), np.empty(walls.shape, dtype=np.int32)))


def _cells(world: World, what: str, points: ArrayLike) -> Int64:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InvalidInput(f"{what}s have shape {array.shape}, expected (N, 2)")
    size = np.array([world.height, world.width])
    outside = ~((array >= 0) & (array <= size)).all(axis=1)
    if outside.any():
        index = int(np.argmax(outside))
        raise InvalidInput(f"{what} {index} is {array[index].tolist()}, expected a point in the box {size.tolist()}")
    cells: Int64 = np.minimum(array.astype(np.int64), np.ceil(size).astype(np.int64) - 1)
    return cells
