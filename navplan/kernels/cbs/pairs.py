"""Two agents planned together: A* over joint states, for a lower bound on what a pair must pay between them.

Tested through tests/planners/cbs/test_cbs.py and tests/planners/cbs/test_eecbs.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.search.conflicts import moves_conflict

FIRST_RETIRED, SECOND_RETIRED = 1, 2


class Pair(NamedTuple):
    """Starts and goals of the two agents, and their clearance."""

    start: int
    goal: int
    other_start: int
    other_goal: int
    clearance: float


class PairWork(NamedTuple):
    """Records of one capacity (first, second, retired; g), a hash table of at least twice that, a power of two, and a heap."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    retired: NDArray[np.int8]
    g: NDArray[np.float64]
    slot_key: NDArray[np.int64]
    slot_record: NDArray[np.int32]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]


@inner
def reach(work, count, size, nodes, u, v, retired, g, h):
    """Record a joint state reached at cost `g`, unless it is known as cheap; returns the new counts of records and entries."""
    key = (np.int64(u) * nodes + v) * 4 + retired
    mask = work.slot_key.size - 1
    at = home(key, mask)
    while work.slot_key[at] != -1 and work.slot_key[at] != key:
        at = (at + 1) & mask
    if work.slot_key[at] == key:
        known = work.slot_record[at]
        if work.g[known] <= g:
            return count, size
        # entries of the dearer record are told by their cost
        work.g[known] = np.inf
    work.slot_key[at] = key
    work.slot_record[at] = count
    work.first[count] = u
    work.second[count] = v
    work.retired[count] = retired
    work.g[count] = g
    size = push(work.keys, work.ties, work.items, size, g + h, h, count)
    return count + 1, size


@inner
def choice(graph, waits, edge, u, goal):
    """The `edge`-th thing an agent at u can do: (next node, cost, whether it stays for good); node -1 when there is no such."""
    low, high = graph.indptr[u], graph.indptr[u + 1]
    if edge < high - low:
        return graph.indices[low + edge], graph.weights[low + edge], False
    if edge == high - low:
        return u, waits[u], False
    if edge == high - low + 1 and u == goal:
        return u, 0.0, True
    return -1, 0.0, False


@kernel
def pair_bound(graph, waits, xy, h, other_h, pair, work, max_expansions):
    """Least sum of costs of two agents alone on the graph, or a lower bound when the budget or the memory is spent before.

    An agent at its goal may stay for good, at no further cost.

    Args:
        graph: a Csr.
        waits: (N,) float64.
        xy: (N, D) float64.
        h, other_h: (N,) float64 exact distances to either goal.
        pair: a Pair.
        work: a PairWork.
        max_expansions: the budget.

    Returns:
        The bound; inf when the two cannot both reach their goals.
    """
    nodes = h.size
    for slot in range(work.slot_key.size):
        work.slot_key[slot] = -1
    count, size = reach(work, 0, 0, nodes, pair.start, pair.other_start, 0, 0.0, h[pair.start] + other_h[pair.other_start])
    expanded = 0
    while size > 0:
        f, record = work.keys[0], work.items[0]
        size = pop(work.keys, work.ties, work.items, size)
        g = work.g[record]
        if g == np.inf:
            continue
        u, v, retired = work.first[record], work.second[record], work.retired[record]
        if (u == pair.goal and v == pair.other_goal) or expanded >= max_expansions:
            return f
        expanded += 1
        edges = 1 if retired & FIRST_RETIRED else graph.indptr[u + 1] - graph.indptr[u] + 2
        other_edges = 1 if retired & SECOND_RETIRED else graph.indptr[v + 1] - graph.indptr[v] + 2
        if count + edges * other_edges >= work.g.size:
            return f
        for edge in range(edges):
            a, cost, stays = choice(graph, waits, edge, u, pair.goal)
            if retired & FIRST_RETIRED:
                a, cost, stays = u, 0.0, True
            if a < 0 or h[a] == np.inf:
                continue
            for other_edge in range(other_edges):
                b, other_cost, other_stays = choice(graph, waits, other_edge, v, pair.other_goal)
                if retired & SECOND_RETIRED:
                    b, other_cost, other_stays = v, 0.0, True
                if b < 0 or other_h[b] == np.inf or moves_conflict(xy, pair.clearance, u, a, v, b):
                    continue
                flags = (FIRST_RETIRED if stays else 0) | (SECOND_RETIRED if other_stays else 0)
                total = g + cost + other_cost
                count, size = reach(work, count, size, nodes, a, b, flags, total, h[a] + other_h[b])
    return np.inf
