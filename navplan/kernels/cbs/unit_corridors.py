"""Ways round a corridor, where every move costs 1."""

from __future__ import annotations

from navplan.kernels.common.jit import kernel


@kernel
def hops_around(indptr, indices, start, blocked, goal, hops, queue):
    """Steps from `start` to `goal` without entering nodes of `blocked` (N,) uint8 or moving along the edge between
    blocked ends marked 2; -1 when there is no way.

    Args:
        hops: (N,) int32, all -1, and left so.
        queue: (N,) int32.
    """
    size = 1
    at = 0
    queue[0] = start
    hops[start] = 0
    while at < size and hops[goal] < 0:
        u = queue[at]
        at += 1
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            if hops[v] >= 0 or blocked[v] == 1 or (blocked[v] == 2 and blocked[u] == 2):
                continue
            hops[v] = hops[u] + 1
            queue[size] = v
            size += 1
    found = hops[goal]
    for k in range(size):
        hops[queue[k]] = -1
    return found
