"""How much room the free cells of a grid have: exact distances to wall cells and to the map's edge.

Tested through tests/graph/test_room.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.jit import kernel


@kernel
def cell_rooms(walls, above, room):
    """Distance from the centre of each free cell to the nearest wall cell, as a closed square, and to the map's edge.

    Columns first: how many cells up or down the nearest wall, or the edge, is. Then along rows outwards from each cell, until
    nothing farther out can be nearer.

    Args:
        walls: (H, W) bool, True = wall.
        above: (H, W) int32, workspace.
        room: (H, W) float64, filled: cells; -1 in walls.
    """
    height, width = walls.shape
    for j in range(width):
        gap = 0  # cells to the wall or the edge above
        for i in range(height):
            gap = 0 if walls[i, j] else gap + 1
            above[i, j] = gap
        gap = 0
        for i in range(height - 1, -1, -1):
            gap = 0 if walls[i, j] else gap + 1
            above[i, j] = min(above[i, j], gap)
    for i in range(height):
        for j in range(width):
            if walls[i, j]:
                room[i, j] = -1.0
                continue
            edge = min(j, width - 1 - j) + 0.5
            best = min(above[i, j] - 0.5, edge)
            squared = best * best
            for k in range(1, min(j, width - 1 - j) + 1):
                across = k - 0.5
                if across * across >= squared:
                    break
                near = min(above[i, j - k], above[i, j + k])
                up = near - 0.5 if near > 0 else 0.0
                squared = min(squared, across * across + up * up)
            room[i, j] = np.sqrt(squared)
    return 0
