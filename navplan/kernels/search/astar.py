"""A* for one start and one goal, with a heuristic that needs no preparation per goal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND


class AStarWork(NamedTuple):
    """Scratch of one query, for N nodes and M edges.

    g (N,) float64 filled with inf, closed (N,) bool filled with False, parent (N,) int32; heap keys and items of room for every
    edge twice; ready (as many) int32, the stack of entries with the least f; sizes (2,) int64 of heap and stack; f (1,) float64.
    """

    g: NDArray[np.float64]
    closed: NDArray[np.bool_]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    ready: NDArray[np.int32]
    sizes: NDArray[np.int64]
    f: NDArray[np.float64]


@kernel
def cheapest_rates(graph, xy, rates):
    """Least edge cost per unit of length, for length in the sum, Euclidean and maximum norms; written to `rates` (3,).

    The largest of the three ``rate * length to the goal`` never overestimates, and on a unit 4-grid it is the Manhattan
    distance. A norm in which no edge has a length gets rate 0.
    """
    rates[:] = np.inf
    for u in range(xy.shape[0]):
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            total = 0.0
            squares = 0.0
            largest = 0.0
            for axis in range(xy.shape[1]):
                gap = abs(xy[u, axis] - xy[v, axis])
                total += gap
                squares += gap * gap
                largest = max(largest, gap)
            weight = graph.weights[edge]
            if largest > 0.0:
                rates[0] = min(rates[0], weight / total)
                rates[1] = min(rates[1], weight / np.sqrt(squares))
                rates[2] = min(rates[2], weight / largest)
    for norm in range(3):
        # the sum is the longest of the three lengths, so a smaller rate than its own adds nothing
        if rates[norm] == np.inf or (norm > 0 and rates[norm] <= rates[0]):
            rates[norm] = 0.0


@kernel
def estimate(xy, rates, u, goal):
    """Lower bound, up to rounding, on the cost from `u` to `goal`."""
    total = 0.0
    for axis in range(xy.shape[1]):
        total += abs(xy[u, axis] - xy[goal, axis])
    bound = rates[0] * total
    if rates[1] > 0.0 or rates[2] > 0.0:
        squares = 0.0
        largest = 0.0
        for axis in range(xy.shape[1]):
            gap = abs(xy[u, axis] - xy[goal, axis])
            squares += gap * gap
            largest = max(largest, gap)
        bound = max(bound, rates[1] * np.sqrt(squares), rates[2] * largest)
    return bound


@kernel
def astar(graph, xy, rates, source, goal, max_expansions, work):
    """A* (Hart et al. 1968) ordered by f; among equal f the youngest first, which runs straight for the goal.

    Args:
        graph: a Csr.
        xy: (N, D) float64 coordinates.
        rates: (3,) float64 of `cheapest_rates`.
        max_expansions: nodes to expand in this call.
        work: an AStarWork; the caller sets g[source] = 0, parent[source] = -1, ready[0] = source, sizes = (0, 1), f = 0.

    Returns:
        (status, expansions); status FOUND, EXHAUSTED or BUDGET (call again). `work.g` and `work.parent` hold the result.
    """
    keys, items, ready = work.keys, work.items, work.ready
    g, closed, parent = work.g, work.closed, work.parent
    size, stacked, f = work.sizes[0], work.sizes[1], work.f[0]
    expanded = 0
    while size > 0 or stacked > 0:
        if expanded >= max_expansions:
            work.sizes[0], work.sizes[1], work.f[0] = size, stacked, f
            return BUDGET, expanded
        if stacked > 0:
            stacked -= 1
            u = ready[stacked]
        else:
            f, u = keys[0], items[0]
            size = pop_key(keys, items, size)
        if closed[u]:
            continue
        if u == goal:
            return FOUND, expanded
        closed[u] = True
        expanded += 1
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            through = g[u] + graph.weights[edge]
            if through < g[v]:
                g[v] = through
                parent[v] = u
                # an estimate is consistent up to rounding only, so that a closed node may open again
                closed[v] = False
                key = through + estimate(xy, rates, v, goal)
                if key <= f:
                    ready[stacked] = v
                    stacked += 1
                else:
                    size = push_key(keys, items, size, key, v)
    return EXHAUSTED, expanded
