"""Hop counts on the 8-connected grid of the paper: diagonals cost one, corners may be cut (facts, section 1.1).

Tested through tests/scenarios/worlds/test_geodesic.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import kernel

UNREACHABLE = -1


@kernel
def hops_from(walls, row, col, queue, hops):
    """Breadth-first search from one free cell.

    Args:
        walls: (H, W) bool.
        row, col: the source cell.
        queue: (H * W,) int32 workspace; afterwards its first `count` entries are the reached cells by ascending hops.
        hops: (H, W) int32, filled with hops or UNREACHABLE.

    Returns:
        (count, farthest): reached cells, and hops to the last of them.
    """
    height, width = walls.shape
    for each in range(height):
        fill(hops[each], 0, width, UNREACHABLE)
    hops[row, col] = 0
    queue[0] = row * width + col
    head, tail = 0, 1
    while head < tail:
        i, j = queue[head] // width, queue[head] % width
        head += 1
        for to_i in range(max(0, i - 1), min(height, i + 2)):
            for to_j in range(max(0, j - 1), min(width, j + 2)):
                if hops[to_i, to_j] == UNREACHABLE and not walls[to_i, to_j]:
                    hops[to_i, to_j] = hops[i, j] + 1
                    queue[tail] = to_i * width + to_j
                    tail += 1
    last = queue[tail - 1]
    return tail, hops[last // width, last % width]


@kernel
def all_hops(walls, sources, queue, hops):
    """Fill hops (K, H, W) int32 for source cells (K, 2); returns the largest hop count reached."""
    farthest = 0
    for k in range(len(sources)):
        farthest = max(farthest, hops_from(walls, sources[k, 0], sources[k, 1], queue, hops[k])[1])
    return farthest


@kernel
def farthest_hop(walls, queue, hops):
    """Largest finite hop count between two free cells; `hops` (H, W) int32 is workspace."""
    farthest = 0
    for i in range(walls.shape[0]):
        for j in range(walls.shape[1]):
            if not walls[i, j]:
                farthest = max(farthest, hops_from(walls, i, j, queue, hops)[1])
    return np.int64(farthest)
