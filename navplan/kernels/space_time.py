"""Space-time focal search: one agent's cheapest (or nearly cheapest) path under constraints that avoids the other agents' paths.

States are (node, time step); from the last constrained step on the time no longer matters and the dimension collapses. The
heuristic is the exact distance to the goal without constraints. Among states with f <= w * fmin those with fewest conflicts
with other agents come first, then those nearer to the goal; w = 1 is A* (Hart et al. 1968) with conflict-avoiding ties, w > 1
the low level of ECBS (Barer et al. 2014).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.conflicts import ARRIVAL, MOVE, count_conflicts
from navplan.kernels.heap import pop, push
from navplan.kernels.jit import kernel
from navplan.kernels.status import BUDGET, EXHAUSTED, FOUND, FULL

# Entries of `progress` and `values`, which carry a search over from one call to the next.
RECORDS, FOCAL, OPEN, WAITING, EXPANDED, GENERATED, RESULT = 0, 1, 2, 3, 4, 5, 6
FMIN = 0
# Record flags.
COUNTED, CLOSED, DEAD = 1, 2, 4
# Sums of the same edges in another order differ by rounding; such f are one.
SLACK = 1e-12
TIE = 1e-9


class Table(NamedTuple):
    """An agent's constraints, sorted by step; step t owns the entries first[t] .. first[t + 1] - 1, (L + 1,) int32.

    kind (K,) int8; ARRIVAL forbids ending the step at a, MOVE forbids a -> b, DISC forbids moves that at instant tau of the step
    are nearer to centre (K, D) than the root of r2. All arrays are read-only.
    """

    first: NDArray[np.int32]
    kind: NDArray[np.int8]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    tau: NDArray[np.float64]
    centre: NDArray[np.float64]
    r2: NDArray[np.float64]


class Query(NamedTuple):
    """What is asked: ends, the first step from which resting at the goal is allowed, the step at which time collapses."""

    start: int
    goal: int
    rest_from: int
    horizon: int
    skip: int
    stamp: int
    max_degree: int
    min_step: float
    w: float
    clearance: float


class Work(NamedTuple):
    """Records of a search in arrays of one capacity, their hash table (a power of two), three heaps."""

    node: NDArray[np.int32]
    time: NDArray[np.int32]
    g: NDArray[np.float64]
    conflicts: NDArray[np.int32]
    parent: NDArray[np.int32]
    flags: NDArray[np.int8]
    slot_key: NDArray[np.int64]
    slot_stamp: NDArray[np.int64]
    slot_record: NDArray[np.int32]
    focal_keys: NDArray[np.float64]
    focal_ties: NDArray[np.float64]
    focal_items: NDArray[np.int32]
    open_keys: NDArray[np.float64]
    open_ties: NDArray[np.float64]
    open_items: NDArray[np.int32]
    waiting_keys: NDArray[np.float64]
    waiting_ties: NDArray[np.float64]
    waiting_items: NDArray[np.int32]


@kernel
def forbidden(table, xy, step, u, v):
    """True when a constraint forbids the move u -> v at `step`."""
    if step >= table.first.size - 1:
        return False
    for k in range(table.first[step], table.first[step + 1]):
        kind = table.kind[k]
        if kind == ARRIVAL:
            if table.a[k] == v:
                return True
        elif kind == MOVE:
            if table.a[k] == u and table.b[k] == v:
                return True
        else:
            tau = table.tau[k]
            squared = 0.0
            for axis in range(xy.shape[1]):
                gap = xy[u, axis] + tau * (xy[v, axis] - xy[u, axis]) - table.centre[k, axis]
                squared += gap * gap
            if squared < table.r2[k]:
                return True
    return False


@kernel
def first_rest(table, xy, goal):
    """First step from which resting at `goal` for ever breaks no constraint."""
    for step in range(table.first.size - 2, -1, -1):
        if forbidden(table, xy, step, goal, goal):
            return step + 1
    return 0


@kernel
def count_at_record(xy, query, others, work, record):
    """Conflicts of the path up to `record` with the other agents; at the goal those of resting there too."""
    parent = work.parent[record]
    u = work.node[record]
    t = work.time[record]
    total = 0
    if parent >= 0:
        total = work.conflicts[parent] + count_conflicts(xy, query.clearance, others, query.skip, t - 1, work.node[parent], u)
    if u == query.goal and t >= query.rest_from:
        for step in range(t, others.shape[0] - 1):
            total += count_conflicts(xy, query.clearance, others, query.skip, step, u, u)
    return total


@kernel
def find_slot(work, stamp, key):
    """Hash slot that holds `key`, or the free one where it belongs (linear probing)."""
    mask = work.slot_key.size - 1
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    at = np.int64(mixed >> np.uint64(20)) & mask
    while work.slot_stamp[at] == stamp and work.slot_key[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def raise_bound(h, query, work, progress, values):
    """Find the least f still open, raise fmin to it and let the states within w * fmin into focal; False when none is left."""
    opened = progress[OPEN]
    while opened > 0 and work.flags[work.open_items[0]] & (CLOSED | DEAD):
        opened = pop(work.open_keys, work.open_ties, work.open_items, opened)
    progress[OPEN] = opened
    waiting = progress[WAITING]
    while waiting > 0 and work.flags[work.waiting_items[0]] & DEAD:
        waiting = pop(work.waiting_keys, work.waiting_ties, work.waiting_items, waiting)
    least = np.inf
    if opened > 0:
        least = work.open_keys[0]
    if waiting > 0:
        least = min(least, work.waiting_keys[0])
    if least == np.inf:
        progress[WAITING] = waiting
        return False
    if least > values[FMIN]:
        values[FMIN] = least
    bound = values[FMIN] * query.w * (1.0 + SLACK)
    focal = progress[FOCAL]
    while waiting > 0 and work.waiting_keys[0] <= bound:
        record = work.waiting_items[0]
        f = work.waiting_keys[0]
        waiting = pop(work.waiting_keys, work.waiting_ties, work.waiting_items, waiting)
        if work.flags[record] & DEAD:
            continue
        tie = f + TIE * h[work.node[record]]
        focal = push(work.focal_keys, work.focal_ties, work.focal_items, focal, work.conflicts[record], tie, record)
        if query.w > 1.0:
            opened = push(work.open_keys, work.open_ties, work.open_items, opened, f, 0.0, record)
    progress[FOCAL] = focal
    progress[OPEN] = opened
    progress[WAITING] = waiting
    return True


@kernel
def generate(h, xy, query, others, work, progress, values, parent, v, g):
    """Record the state reached from `parent` at node v with cost g, unless one as good is there."""
    t = work.time[parent] + 1
    layer = min(t, query.horizon)
    key = np.int64(v) * (query.horizon + 1) + layer
    at = find_slot(work, query.stamp, key)
    record = progress[RECORDS]
    work.node[record] = v
    work.time[record] = t
    work.g[record] = g
    work.parent[record] = parent
    work.conflicts[record] = work.conflicts[parent]
    work.flags[record] = 0
    if work.slot_stamp[at] == query.stamp:
        rival = work.slot_record[at]
        if work.g[rival] < g:
            return
        if work.g[rival] == g:
            if work.flags[rival] & CLOSED:
                return
            standing = work.conflicts[rival]
            if not work.flags[rival] & COUNTED:
                standing = count_at_record(xy, query, others, work, rival)
            work.conflicts[record] = count_at_record(xy, query, others, work, record)
            work.flags[record] = COUNTED
            if standing <= work.conflicts[record]:
                return
        work.flags[rival] |= DEAD
    work.slot_stamp[at] = query.stamp
    work.slot_key[at] = key
    work.slot_record[at] = record
    progress[RECORDS] = record + 1
    progress[GENERATED] += 1
    f = max(g + h[v], g + (query.rest_from - t) * query.min_step)
    if f <= values[FMIN] * query.w * (1.0 + SLACK):
        tie = f + TIE * h[v]
        progress[FOCAL] = push(
            work.focal_keys, work.focal_ties, work.focal_items, progress[FOCAL], work.conflicts[record], tie, record
        )
        if query.w > 1.0:
            progress[OPEN] = push(work.open_keys, work.open_ties, work.open_items, progress[OPEN], f, 0.0, record)
    else:
        progress[WAITING] = push(work.waiting_keys, work.waiting_ties, work.waiting_items, progress[WAITING], f, h[v], record)


@kernel
def begin(h, query, work, progress, values):
    """Put the start into an empty search."""
    progress[:] = 0
    work.node[0] = query.start
    work.time[0] = 0
    work.g[0] = 0.0
    work.parent[0] = -1
    work.conflicts[0] = 0
    work.flags[0] = 0
    f = max(h[query.start], query.rest_from * query.min_step)
    values[FMIN] = f
    key = np.int64(query.start) * (query.horizon + 1)
    at = find_slot(work, query.stamp, key)
    work.slot_stamp[at] = query.stamp
    work.slot_key[at] = key
    work.slot_record[at] = 0
    progress[RECORDS] = 1
    if f < np.inf:
        progress[WAITING] = push(work.waiting_keys, work.waiting_ties, work.waiting_items, 0, f, 0.0, 0)


@kernel
def search(graph, waits, xy, h, query, table, others, work, progress, values, max_expansions):
    """Run the search for at most `max_expansions` expansions.

    Args:
        graph: Csr, forward.
        waits: (N,) float64 cost of waiting at each node.
        xy: (N, D) float64 coordinates.
        h: (N,) float64 exact distances to the goal, inf where it cannot be reached.
        query: a Query.
        table: a Table.
        others: (T, K) int32 paths of other agents to be avoided if possible; column `query.skip` is left out.
        work: a Work whose slots carry no entry of `query.stamp` when the search begins.
        progress: (7,) int64; RECORDS = 0 begins a search. RESULT holds the goal record when FOUND.
        values: (1,) float64; FMIN is a lower bound on the cost of any path under the constraints.

    Returns:
        FOUND, EXHAUSTED (there is no such path), BUDGET, or FULL (begin again with larger arrays).
    """
    if progress[RECORDS] == 0:
        begin(h, query, work, progress, values)
    capacity = work.node.size - query.max_degree - 2
    expanded = 0
    while True:
        if (progress[FOCAL] == 0 or query.w > 1.0) and not raise_bound(h, query, work, progress, values):
            return EXHAUSTED
        if progress[FOCAL] == 0:
            return EXHAUSTED
        if expanded >= max_expansions:
            return BUDGET
        if progress[RECORDS] > capacity:
            return FULL
        record = work.focal_items[0]
        tie = work.focal_ties[0]
        progress[FOCAL] = pop(work.focal_keys, work.focal_ties, work.focal_items, progress[FOCAL])
        if work.flags[record] & (CLOSED | DEAD):
            continue
        if not work.flags[record] & COUNTED:
            # counting is the dear part, so it is left until a state is about to be expanded
            work.flags[record] |= COUNTED
            count = count_at_record(xy, query, others, work, record)
            if count > work.conflicts[record]:
                work.conflicts[record] = count
                progress[FOCAL] = push(work.focal_keys, work.focal_ties, work.focal_items, progress[FOCAL], count, tie, record)
                continue
        u = work.node[record]
        t = work.time[record]
        if u == query.goal and t >= query.rest_from:
            progress[RESULT] = record
            return FOUND
        work.flags[record] |= CLOSED
        expanded += 1
        progress[EXPANDED] += 1
        g = work.g[record]
        for edge in range(graph.indptr[u], graph.indptr[u + 1]):
            v = graph.indices[edge]
            if h[v] < np.inf and not forbidden(table, xy, t, u, v):
                generate(h, xy, query, others, work, progress, values, record, v, g + graph.weights[edge])
        if not forbidden(table, xy, t, u, u):
            generate(h, xy, query, others, work, progress, values, record, u, g + waits[u])


@kernel
def trace(work, record, path):
    """Write the nodes from the start to `record` into `path` (time + 1 entries, int32)."""
    while record >= 0:
        path[work.time[record]] = work.node[record]
        record = work.parent[record]
