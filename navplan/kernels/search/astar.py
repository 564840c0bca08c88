"""From one start to one goal: Dijkstra's algorithm with a goal test, and A* led by lengths and landmarks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.fill import fill
from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.landmarks import choose_landmarks, landmark_bound

# More expansions than any search makes.
FOREVER = 1 << 60


class Heuristic(NamedTuple):
    """What leads A*; the largest estimate counts.

    xy (N, D) float64 coordinates; rates (3,) float64 of `cheapest_rates`, 0 for a norm that is not used; tables (N, 2 K) float32
    of landmarks, see `navplan.kernels.search.landmarks`, K = 0 for none; chosen (C,) int32, those that this query looks at.
    """

    xy: NDArray[np.float64]
    rates: NDArray[np.float64]
    tables: NDArray[np.float32]
    chosen: NDArray[np.int32]


class QueryWork(NamedTuple):
    """Scratch of one query for N nodes and M edges, clean again after `clear`.

    g (N,) float64 filled with inf; ahead (N,) float64, the estimates of nodes that have a g; closed (N,) bool filled with False;
    parent (N,) int32; heap keys and items (C,), C > M for `dijkstra_to`; ready (C,) int32, the stack of entries with the least f;
    reached (N,) int32, the nodes that have a g; path (N,) int32; sizes (3,) int64 of heap, stack and reached; f (1,) float64.
    """

    g: NDArray[np.float64]
    ahead: NDArray[np.float64]
    closed: NDArray[np.bool_]
    parent: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    ready: NDArray[np.int32]
    reached: NDArray[np.int32]
    path: NDArray[np.int32]
    sizes: NDArray[np.int64]
    f: NDArray[np.float64]


@kernel
def cheapest_rates(graph, xy, rates):
    """Least edge cost per unit of length, for length in the sum, Euclidean and maximum norms; written to `rates` (3,).

    The largest of the three ``rate * length to the goal`` never overestimates, and on a unit 4-grid it is the Manhattan
    distance. A norm in which no edge has a length gets rate 0.
    """
    fill(rates, 0, rates.size, np.inf)
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


@inner
def begin(source, work):
    """The first node of a search, where it has none yet."""
    if work.sizes[2] == 0:
        work.g[source] = 0.0
        work.parent[source] = -1
        work.reached[0] = source
        work.ready[0] = source
        work.sizes[0], work.sizes[1], work.sizes[2] = 0, 1, 1
        work.f[0] = 0.0


@kernel
def astar(graph, heuristic, source, goal, max_expansions, work):
    """A* (Hart et al. 1968) ordered by f; among equal f the youngest first, which runs straight for the goal.

    Args:
        graph: a Csr.
        heuristic: a Heuristic.
        max_expansions: nodes to expand in this call.
        work: a clean QueryWork.

    Returns:
        (status, expansions); status FOUND, EXHAUSTED, or BUDGET or FULL (call again). `work.g` and `work.parent` hold the result.
    """
    begin(source, work)
    keys, items, ready, reached = work.keys, work.items, work.ready, work.reached
    g, ahead, closed, parent = work.g, work.ahead, work.closed, work.parent
    size, stacked, known, f = work.sizes[0], work.sizes[1], work.sizes[2], work.f[0]
    expanded = 0
    status = EXHAUSTED
    while size > 0 or stacked > 0:
        if expanded >= max_expansions:
            status = BUDGET
            break
        u = ready[stacked - 1] if stacked > 0 else items[0]
        degree = graph.indptr[u + 1] - graph.indptr[u]
        if max(size, stacked) + degree > keys.size:
            status = FULL
            break
        if stacked > 0:
            stacked -= 1
        else:
            f = keys[0]
            size = pop_key(keys, items, size)
        if closed[u]:
            continue
        if u == goal:
            status = FOUND
            break
        closed[u] = True
        expanded += 1
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            through = g[u] + graph.weights[edge]
            if through < g[v]:
                if g[v] == np.inf:
                    reached[known] = v
                    known += 1
                    by_length = estimate(heuristic.xy, heuristic.rates, v, goal)
                    ahead[v] = max(by_length, landmark_bound(heuristic.tables, heuristic.chosen, v, goal))
                g[v] = through
                parent[v] = u
                # an estimate is consistent up to rounding only, so that a closed node may open again
                closed[v] = False
                key = through + ahead[v]
                if key <= f:
                    ready[stacked] = v
                    stacked += 1
                elif key < np.inf:
                    size = push_key(keys, items, size, key, v)
    work.sizes[0], work.sizes[1], work.sizes[2], work.f[0] = size, stacked, known, f
    return status, expanded


@kernel
def dijkstra_to(graph, source, goal, max_expansions, work):
    """Dijkstra's algorithm up to `goal`; arguments and result as for `astar`.

    Of several tails that account for a node's distance, its parent is the one with the largest number.
    """
    begin(source, work)
    keys, items, reached = work.keys, work.items, work.reached
    g, closed, parent = work.g, work.closed, work.parent
    size, known = work.sizes[0], work.sizes[2]
    if work.sizes[1] > 0:  # the source
        keys[0], items[0] = 0.0, source
        size, work.sizes[1] = 1, 0
    expanded = 0
    status = EXHAUSTED
    while size > 0:
        if expanded >= max_expansions:
            status = BUDGET
            break
        u = items[0]
        if u == goal:
            status = FOUND
            break
        size = pop_key(keys, items, size)
        if closed[u]:
            continue
        closed[u] = True
        expanded += 1
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            through = g[u] + graph.weights[edge]
            if through < g[v]:
                if g[v] == np.inf:
                    reached[known] = v
                    known += 1
                g[v] = through
                parent[v] = u
                size = push_key(keys, items, size, through, v)
            elif through == g[v] and u > parent[v] and not closed[v]:
                parent[v] = u
    work.sizes[0], work.sizes[2] = size, known
    return status, expanded


@kernel
def costs_between(graph, heuristic, sources, goals, costs, work):
    """Write the cost of the cheapest way of each pair into `costs` (P,), inf where there is none.

    Args:
        heuristic: a Heuristic; each pair chooses its landmarks anew.
        sources, goals: (P,) int32.
        work: a clean QueryWork; clean again afterwards.

    Returns:
        How many pairs are done: all, unless `work` is too small for the next one.
    """
    for k in range(sources.size):
        choose_landmarks(heuristic.tables, sources[k], goals[k], heuristic.chosen)
        status, _ = astar(graph, heuristic, sources[k], goals[k], FOREVER, work)
        costs[k] = work.g[goals[k]] if status == FOUND else np.inf
        clear(work)
        if status == FULL:
            return k
    return sources.size


@kernel
def trace(goal, work):
    """Write the way found to `goal` into `work.path`; its number of nodes."""
    length = 0
    node = goal
    while node >= 0:
        work.path[length] = node
        length += 1
        node = work.parent[node]
    for k in range(length // 2):
        other = length - 1 - k
        work.path[k], work.path[other] = work.path[other], work.path[k]
    return length


@kernel
def clear(work):
    """Make `work` clean for the next query, in time that follows from what the last one reached."""
    for k in range(work.sizes[2]):
        node = work.reached[k]
        work.g[node] = np.inf
        work.closed[node] = False
    fill(work.sizes, 0, work.sizes.size, 0)
