"""Conflict-Based Search where every move and wait costs 1 and clearance is 0: one agent's search, and who is where.

Rules are intervals of time at a node, so that one row says a range or a target constraint, and moves that are barred.

Tested through tests/planners/cbs/test_unit.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL

# A key of the heap is f times this less the time: deep first.
TIME_ROOM = 1 << 21
# Entries of `progress`.
MADE, SIZE, RESULT, POPPED, STAMP = 0, 1, 2, 3, 4


class Rules(NamedTuple):
    """What one agent must not do: lists of rows by node.

    Attributes:
        head: (N,) int32 first row of a node, -1 for none.
        low, high: (R,) int32 times of arrival at the node that are barred, both ends included.
        origin: (R,) int32 node from which only the move is barred, or -1 for being there at all.
        next: (R,) int32 next row of the node.
    """

    head: NDArray[np.int32]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    origin: NDArray[np.int32]
    next: NDArray[np.int32]


class Traffic(NamedTuple):
    """Who is where and when; everybody rests after the last column. T times, N nodes, A agents.

    Attributes:
        head: (T, N) int16 one more than the first agent at a node, 0 for none: what is 0 takes no memory until it is written.
        link: (A, T) int16 next agent at the same node, -1 for none.
        paths: (A, T) int32 nodes.
    """

    head: NDArray[np.int16]
    link: NDArray[np.int16]
    paths: NDArray[np.int32]


class UnitWork(NamedTuple):
    """Records and their hash table (a power of two, at least 2 C), a heap."""

    node: NDArray[np.int32]
    time: NDArray[np.int32]
    parent: NDArray[np.int32]
    closed: NDArray[np.uint8]
    slot_key: NDArray[np.int64]
    slot_stamp: NDArray[np.int64]
    slot_record: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]


@kernel
def set_rules(rules, rows, count):
    """Put rows (R, 4) int32 of (node, low, high, origin) into the lists; `clear_rules` takes them out."""
    for k in range(count):
        node = rows[k, 0]
        rules.low[k] = rows[k, 1]
        rules.high[k] = rows[k, 2]
        rules.origin[k] = rows[k, 3]
        rules.next[k] = rules.head[node]
        rules.head[node] = k


@kernel
def clear_rules(rules, rows, count):
    """Empty the lists of the nodes named in `rows`."""
    for k in range(count):
        rules.head[rows[k, 0]] = -1


@inner
def barred(rules, u, v, time):
    """True when moving from u to v, to be there at `time`, is barred."""
    k = rules.head[v]
    while k >= 0:
        if rules.low[k] <= time <= rules.high[k] and (rules.origin[k] < 0 or rules.origin[k] == u):
            return True
        k = rules.next[k]
    return False


@kernel
def put(traffic, agent, path):
    """Enter a path, at most T long; its agent rests at the last node."""
    last = path.size - 1
    for time in range(traffic.head.shape[0]):
        node = path[min(time, last)]
        traffic.paths[agent, time] = node
        traffic.link[agent, time] = traffic.head[time, node] - 1
        traffic.head[time, node] = agent + 1


@kernel
def take(traffic, agent):
    """Take the path of `agent` out."""
    for time in range(traffic.head.shape[0]):
        node = traffic.paths[agent, time]
        at = traffic.head[time, node] - 1
        if at == agent:
            traffic.head[time, node] = traffic.link[agent, time] + 1
            continue
        while traffic.link[at, time] != agent:
            at = traffic.link[at, time]
        traffic.link[at, time] = traffic.link[agent, time]


@kernel
def conflicts_of(traffic, path, found):
    """List the conflicts of `path`, whose agent is not in the traffic: rows of (agent, time of arrival, swap or not).

    Args:
        found: (F, 3) int32, written.

    Returns:
        How many there are; those beyond F are not listed.
    """
    count = 0
    last = path.size - 1
    for time in range(traffic.head.shape[0]):
        v = path[min(time, last)]
        other = traffic.head[time, v] - 1
        while other >= 0:
            if count < found.shape[0]:
                found[count, 0] = other
                found[count, 1] = time
                found[count, 2] = 0
            count += 1
            other = traffic.link[other, time]
        if 0 < time <= last and path[time - 1] != v:
            u = path[time - 1]
            other = traffic.head[time - 1, v] - 1
            while other >= 0:
                if traffic.paths[other, time] == u:
                    if count < found.shape[0]:
                        found[count, 0] = other
                        found[count, 1] = time
                        found[count, 2] = 1
                    count += 1
                other = traffic.link[other, time - 1]
    return count


@inner
def reach(h, work, progress, horizon, earliest, goal, parent, u, v, time):
    """Record being at v at `time`, having come from u; as the end of the path too if it can be."""
    ends = v == goal and time >= earliest and (u != goal or time == 0)
    for finish in range(2):
        if finish == 1 and not ends:
            break
        key = np.int64(h.size if finish == 1 else v) * (horizon + 1) + min(time, horizon)
        mask = work.slot_key.size - 1
        at = home(key, mask)
        while work.slot_stamp[at] == progress[STAMP] and work.slot_key[at] != key:
            at = (at + 1) & mask
        record = progress[MADE]
        if work.slot_stamp[at] == progress[STAMP]:
            known = work.slot_record[at]
            if work.closed[known] or work.time[known] <= time:
                continue
            work.closed[known] = 1
        work.slot_stamp[at] = progress[STAMP]
        work.slot_key[at] = key
        work.slot_record[at] = record
        work.node[record] = h.size if finish == 1 else v
        work.time[record] = time
        work.parent[record] = parent
        work.closed[record] = 0
        f = max(time + h[v], np.float64(earliest))
        progress[SIZE] = push_key(work.keys, work.items, progress[SIZE], f * TIME_ROOM - time - finish, np.int32(record))
        progress[MADE] = record + 1


@kernel
def unit_search(indptr, indices, h, start, goal, earliest, horizon, rules, work, progress, max_expansions):
    """A shortest path under `rules`: space-time A*, time collapsing at `horizon`.

    Args:
        h: (N,) float64 distances to the goal.
        earliest: the last arrival must not be before.
        horizon: time after which no row of `rules` begins or ends.
        progress: (5,) int64; MADE = 0 begins a search, STAMP must be new.

    Returns:
        FOUND (RESULT), EXHAUSTED, BUDGET, or FULL.
    """
    if progress[MADE] == 0 and not barred(rules, -1, start, 0) and h[start] < np.inf:
        reach(h, work, progress, horizon, earliest, goal, -1, start, start, 0)
    expanded = 0
    while progress[SIZE] > 0:
        if expanded >= max_expansions:
            return BUDGET
        record = work.items[0]
        if work.closed[record]:
            progress[SIZE] = pop_key(work.keys, work.items, progress[SIZE])
            continue
        u, time = work.node[record], np.int64(work.time[record])
        if u == h.size:
            progress[RESULT] = record
            return FOUND
        if progress[MADE] + 2 * (indptr[u + 1] - indptr[u]) + 4 >= work.node.size:
            return FULL
        progress[SIZE] = pop_key(work.keys, work.items, progress[SIZE])
        work.closed[record] = 1
        expanded += 1
        progress[POPPED] += 1
        for edge in range(indptr[u], indptr[u + 1] + 1):
            v = indices[edge] if edge < indptr[u + 1] else u
            if h[v] < np.inf and not barred(rules, u, v, time + 1):
                reach(h, work, progress, horizon, earliest, goal, record, u, v, time + 1)
    return EXHAUSTED


@kernel
def unit_trace(work, record, goal, path):
    """Write the nodes up to `record` to `path` (its time + 1 entries)."""
    path[work.time[record]] = goal
    record = work.parent[record]
    while record >= 0:
        path[work.time[record]] = work.node[record]
        record = work.parent[record]
