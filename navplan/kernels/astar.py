"""A* for one start and one goal, with a heuristic that needs no preparation per goal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.heap import pop, push
from navplan.kernels.jit import kernel
from navplan.kernels.status import BUDGET, EXHAUSTED, FOUND


class AStarWork(NamedTuple):
    """Scratch of one query: g (N,) float64 filled with inf, parent (N,) int32, heap arrays (M + 1,), size (1,) int64."""

    g: NDArray[np.float64]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]
    size: NDArray[np.int64]


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
        if rates[norm] == np.inf:
            rates[norm] = 0.0


@kernel
def estimate(xy, rates, u, goal):
    """Lower bound, up to rounding, on the cost from `u` to `goal`."""
    total = 0.0
    squares = 0.0
    largest = 0.0
    for axis in range(xy.shape[1]):
        gap = abs(xy[u, axis] - xy[goal, axis])
        total += gap
        squares += gap * gap
        largest = max(largest, gap)
    return max(rates[0] * total, rates[1] * np.sqrt(squares), rates[2] * largest)


@kernel
def astar(graph, xy, rates, source, goal, max_expansions, work):
    """A* (Hart et al. 1968) ordered by f, then by smaller estimate (deeper first).

    Args:
        graph: a Csr.
        xy: (N, D) float64 coordinates.
        rates: (3,) float64 of `cheapest_rates`.
        max_expansions: nodes to expand in this call.
        work: an AStarWork; the caller sets g[source] = 0, parent[source] = -1 and pushes the source.

    Returns:
        (status, expansions); status FOUND, EXHAUSTED or BUDGET (call again). `work.g` and `work.parent` hold the result.
    """
    keys, ties, items = work.keys, work.ties, work.items
    g, parent = work.g, work.parent
    size = work.size[0]
    expanded = 0
    while size > 0:
        if expanded >= max_expansions:
            work.size[0] = size
            return BUDGET, expanded
        key, tie, u = keys[0], ties[0], items[0]
        if u == goal:
            return FOUND, expanded
        size = pop(keys, ties, items, size)
        # the entry is stale if the node has been reached for less since
        if key - tie > g[u] + 1e-9 * (1.0 + key):
            continue
        expanded += 1
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            through = g[u] + graph.weights[edge]
            if through < g[v]:
                g[v] = through
                parent[v] = u
                h = estimate(xy, rates, v, goal)
                size = push(keys, ties, items, size, through + h, h, v)
    work.size[0] = 0
    return EXHAUSTED, expanded
