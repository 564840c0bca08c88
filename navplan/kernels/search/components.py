"""Connected components of graphs whose edges run both ways, such as grids."""

from __future__ import annotations

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import kernel


@kernel
def components(indptr, indices, label, queue):
    """Write the number of each node's component into `label` (N,) int32, counted by their least nodes; how many there are.

    Args:
        indptr, indices: CSR in which every edge has its reverse.
        queue: (N,) int32 scratch.
    """
    fill(label, 0, label.size, -1)
    count = 0
    for first in range(label.size):
        if label[first] >= 0:
            continue
        label[first] = count
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            u = queue[head]
            head += 1
            for edge in range(indptr[u], indptr[u + 1]):
                v = indices[edge]
                if label[v] < 0:
                    label[v] = count
                    queue[tail] = v
                    tail += 1
        count += 1
    return count
