"""Hop counts to a goal in 16 bits: a quarter of the memory of float64 tables, for thousands of agents."""

from __future__ import annotations

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import kernel

FAR = 65535


@kernel
def hops(indptr, indices, sources, tables, first, last, queue):
    """Breadth-first hop counts from the sources `first` to `last`, one row each.

    Args:
        indptr, indices: CSR of the graph, reversed for distances to the sources; at most 65535 nodes, or no hop count of more.
        sources: (A,) int32.
        tables: (A, N) uint16, rows written; FAR where there is no way.
        queue: (N,) int32 scratch.
    """
    for k in range(first, last):
        row = tables[k]
        fill(row, 0, row.size, FAR)
        row[sources[k]] = 0
        queue[0] = sources[k]
        head = 0
        tail = 1
        while head < tail:
            u = queue[head]
            head += 1
            through = row[u] + 1
            for edge in range(indptr[u], indptr[u + 1]):
                v = indices[edge]
                if row[v] == FAR:
                    row[v] = through
                    queue[tail] = v
                    tail += 1
