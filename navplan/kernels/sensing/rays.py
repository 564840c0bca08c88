"""Rays until they meet a wall.

Tested through tests/scenarios/sensors/test_sensors.py.
"""

from __future__ import annotations

import math

from navplan.kernels.common.jit import inner, kernel


@kernel
def cast_cells(walls, poses, most, out):
    """Lengths of rays over the cells of a grid; the edge of the map is a wall.

    walls (H, W) bool; poses (N, 3) float64 (row, col, heading), heading in radians from the row axis towards the column axis;
    most: range in cells; out (N, B) float32: beam k at ``heading + 2 pi k / B``, `most` where nothing is met, 0 within a wall.
    """
    count, beams = out.shape
    for n in range(count):
        for k in range(beams):
            angle = poses[n, 2] + 2.0 * math.pi * k / beams
            out[n, k] = min(most, cast(walls, poses[n, 0], poses[n, 1], math.cos(angle), math.sin(angle), most))


@inner
def cast(walls, row, col, along_row, along_col, most):
    """Length of one ray, cell by cell (Amanatides and Woo, "A fast voxel traversal algorithm for ray tracing", 1987)."""
    height, width = walls.shape
    i, j = math.floor(row), math.floor(col)
    if i < 0 or j < 0 or i >= height or j >= width or walls[i, j]:
        return 0.0
    step_i, step_j = (1 if along_row > 0 else -1), (1 if along_col > 0 else -1)
    every_i = abs(1.0 / along_row) if along_row != 0.0 else math.inf
    every_j = abs(1.0 / along_col) if along_col != 0.0 else math.inf
    next_i = ((i + 1 - row) if step_i > 0 else (row - i)) * every_i if along_row != 0.0 else math.inf
    next_j = ((j + 1 - col) if step_j > 0 else (col - j)) * every_j if along_col != 0.0 else math.inf
    while True:
        if next_i < next_j:
            length = next_i
            i += step_i
            next_i += every_i
        else:
            length = next_j
            j += step_j
            next_j += every_j
        if length >= most or i < 0 or j < 0 or i >= height or j >= width or walls[i, j]:
            return length


@kernel
def cast_segments(segments, poses, most, out):
    """The same over straight edges: segments (S, 4) float64 (row, col, row, col), those of the map's edge among them."""
    count, beams = out.shape
    for n in range(count):
        for k in range(beams):
            angle = poses[n, 2] + 2.0 * math.pi * k / beams
            along_row, along_col = math.cos(angle), math.sin(angle)
            least = most
            for s in range(len(segments)):
                d_row, d_col = segments[s, 2] - segments[s, 0], segments[s, 3] - segments[s, 1]
                across = along_row * d_col - along_col * d_row
                if across == 0.0:
                    continue
                r, c = segments[s, 0] - poses[n, 0], segments[s, 1] - poses[n, 1]
                length, share = (r * d_col - c * d_row) / across, (r * along_col - c * along_row) / across
                if 0.0 <= length < least and 0.0 <= share <= 1.0:
                    least = length
            out[n, k] = least
