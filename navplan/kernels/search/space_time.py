"""Space-time focal search: one agent's cheapest (or nearly cheapest) path under constraints that avoids the other agents' paths.

States are (node, time step); from the last constrained step on the time no longer matters and the dimension collapses. The
heuristic is the exact distance to the goal without constraints. Among states with f <= w * fmin + extra those come first whose f
plus a price per conflict with other agents is least, then those nearer to the goal. w = 1 is A* (Hart et al. 1968) with
conflict-avoiding ties, w > 1 the low level of ECBS (Barer et al. 2014); `extra` is what other agents have left over (flex,
Chan et al. 2022). Deviation: ECBS orders strictly by conflicts, which on dense graphs tries every small detour first.

Tested through tests/planners/cbs/test_cbs.py and tests/planners/test_optimality.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.fill import fill
from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.conflicts import count_conflicts
from navplan.kernels.search.constraints import forbidden

# Entries of `progress` and `values`, which carry a search over from one call to the next.
RECORDS, FOCAL, OPEN, WAITING, EXPANDED, GENERATED, RESULT = 0, 1, 2, 3, 4, 5, 6
FMIN = 0
# Record flags.
COUNTED, EXPANDED_ONCE, DEAD, ARRIVED = 1, 2, 4, 8
# Sums of the same edges in another order differ by rounding; such f are one.
SLACK = 1e-12
LARGE = 1e300


class Query(NamedTuple):
    """What is asked.

    The last arrival must be at step rest_from or later, and cannot be before step arrive_from; time collapses at step
    horizon. After `patience` expansions conflicts no longer cost anything, so that the search comes to an end.
    """

    start: int
    goal: int
    rest_from: int
    arrive_from: int
    horizon: int
    skip: int
    stamp: int
    max_degree: int
    patience: int
    min_step: float
    w: float
    extra: float
    penalty: float
    clearance: float


class Work(NamedTuple):
    """Records of a search in arrays of one capacity, their hash table (a power of two), three heaps.

    f is the least f of successors still to be generated, or of the state itself before its first expansion; successors up to
    `done` have been generated.
    """

    node: NDArray[np.int32]
    time: NDArray[np.int32]
    g: NDArray[np.float64]
    f: NDArray[np.float64]
    done: NDArray[np.float64]
    conflicts: NDArray[np.int32]
    parent: NDArray[np.int32]
    next: NDArray[np.int32]
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


@inner
def count(xy, query, others, work, record):
    """Settle how many conflicts the path up to `record` has with the other agents; at the goal those of resting there too.

    Until then a record has the number of its parent, a lower bound.
    """
    if work.flags[record] & COUNTED:
        return
    work.flags[record] |= COUNTED
    parent = work.parent[record]
    u = work.node[record]
    t = work.time[record]
    total = work.conflicts[record]
    if parent >= 0:
        total += count_conflicts(xy, query.clearance, others, query.skip, t - 1, work.node[parent], u)
    if work.flags[record] & ARRIVED:
        for step in range(t, others.shape[0] - 1):
            total += count_conflicts(xy, query.clearance, others, query.skip, step, u, u)
    work.conflicts[record] = total


@inner
def find_slot(work, stamp, key):
    """Hash slot that holds `key`, or the free one where it belongs (linear probing)."""
    mask = work.slot_key.size - 1
    at = home(key, mask)
    while work.slot_stamp[at] == stamp and work.slot_key[at] != key:
        at = (at + 1) & mask
    return at


@inner
def is_current(work, key, record):
    """True when an entry of the heap of open states still says its record's f."""
    return work.f[record] == key and not work.flags[record] & DEAD


@inner
def is_focal(query):
    """True when states above fmin may be expanded, so that fmin must be tracked by a heap of its own."""
    return query.w > 1.0 or query.extra > 0.0


@inner
def focal_bound(query, values):
    """Largest f that a path may have: w times the lower bound, and what others have left over."""
    return (values[FMIN] * query.w + query.extra) * (1.0 + SLACK)


@inner
def admit(h, query, work, progress, record):
    """Push `record` on the focal heap: by f and a price per conflict, then nearer to the goal."""
    key = work.f[record]
    if progress[EXPANDED] < query.patience:
        key += query.penalty * work.conflicts[record]
    progress[FOCAL] = push(work.focal_keys, work.focal_ties, work.focal_items, progress[FOCAL], key, h[work.node[record]], record)


@inner
def raise_bound(h, query, work, progress, values):
    """Find the least f still open, raise fmin to it and let the states within w * fmin into focal; False when none is left."""
    opened = progress[OPEN]
    while opened > 0 and not is_current(work, work.open_keys[0], work.open_items[0]):
        opened = pop(work.open_keys, work.open_ties, work.open_items, opened)
    waiting = progress[WAITING]
    while waiting > 0 and work.flags[work.waiting_items[0]] & DEAD:
        waiting = pop(work.waiting_keys, work.waiting_ties, work.waiting_items, waiting)
    least = np.inf
    if opened > 0:
        least = work.open_keys[0]
    if waiting > 0:
        least = min(least, work.waiting_keys[0])
    values[FMIN] = max(values[FMIN], min(least, LARGE))
    bound = focal_bound(query, values)
    while waiting > 0 and work.waiting_keys[0] <= bound:
        f, record = work.waiting_keys[0], work.waiting_items[0]
        waiting = pop(work.waiting_keys, work.waiting_ties, work.waiting_items, waiting)
        if work.flags[record] & DEAD:
            continue
        admit(h, query, work, progress, record)
        if is_focal(query):
            opened = push(work.open_keys, work.open_ties, work.open_items, opened, f, 0.0, record)
    progress[OPEN] = opened
    progress[WAITING] = waiting
    return least < np.inf


@inner
def add(h, query, work, progress, record, f):
    """Open `record` with `f`, which is within the bound."""
    work.f[record] = f
    admit(h, query, work, progress, record)
    if is_focal(query):
        progress[OPEN] = push(work.open_keys, work.open_ties, work.open_items, progress[OPEN], f, 0.0, record)


@inner
def state_key(query, v, t):
    """One number for the state (v, t)."""
    return np.int64(v) * (query.horizon + 1) + min(t, query.horizon)


@inner
def beaten(xy, query, others, work, rival, record):
    """Compare `record` with the records of its state, a list that starts at `rival`; True when one is as good.

    A* keeps the cheapest, the one with fewer conflicts among equals. Focal search keeps all that no other beats in both cost
    and conflicts: on dense graphs a slightly dearer way to the same state is often the one that meets nobody.
    """
    focal = is_focal(query)
    while rival >= 0:
        if not work.flags[rival] & DEAD:
            if work.g[rival] < work.g[record] and not focal:
                return True
            if work.g[rival] <= work.g[record]:
                if work.flags[rival] & EXPANDED_ONCE and not focal:
                    return True
                count(xy, query, others, work, rival)
                if work.conflicts[rival] <= work.conflicts[record]:
                    return True
                count(xy, query, others, work, record)
                if work.conflicts[rival] <= work.conflicts[record]:
                    return True
            if work.g[rival] >= work.g[record] and (not focal or work.conflicts[record] <= work.conflicts[rival]):
                count(xy, query, others, work, record)
                if not focal or work.conflicts[record] <= work.conflicts[rival]:
                    work.flags[rival] |= DEAD
        rival = work.next[rival]
    return False


@inner
def generate(h, xy, query, others, work, progress, parent, v, g, f):
    """Record the state reached from `parent` at node v with cost g, unless one as good is there."""
    t = work.time[parent] + 1
    # waiting at the goal is no arrival: an agent that came too early must leave and return
    arrived = v == query.goal and t >= query.rest_from and work.node[parent] != v
    key = state_key(query, h.size if arrived else v, t)
    at = find_slot(work, query.stamp, key)
    record = progress[RECORDS]
    work.node[record] = v
    work.time[record] = t
    work.g[record] = g
    work.done[record] = -1.0
    work.parent[record] = parent
    work.conflicts[record] = work.conflicts[parent]
    work.flags[record] = ARRIVED if arrived else 0
    work.next[record] = -1
    if work.slot_stamp[at] == query.stamp:
        if beaten(xy, query, others, work, work.slot_record[at], record):
            return
        work.next[record] = work.slot_record[at]
    work.slot_stamp[at] = query.stamp
    work.slot_key[at] = key
    work.slot_record[at] = record
    progress[RECORDS] = record + 1
    progress[GENERATED] += 1
    add(h, query, work, progress, record, f)


@inner
def dominated(query, work, v, t, g):
    """True when the state (v, t) has been reached at cost g or less."""
    at = find_slot(work, query.stamp, state_key(query, v, t))
    return work.slot_stamp[at] == query.stamp and work.g[work.slot_record[at]] <= g


@inner
def expand(graph, waits, xy, h, query, table, others, work, progress, record, bound):
    """Generate the successors of `record` within `bound`; keep it for later if there are others (Yoshizumi et al. 2000).

    On dense graphs most successors are never within the bound: they cost one comparison each.
    """
    u, t, g = work.node[record], work.time[record], work.g[record]
    done = work.done[record]
    work.done[record] = bound
    work.flags[record] |= EXPANDED_ONCE
    progress[EXPANDED] += 1
    rest = (query.arrive_from - t - 1) * query.min_step
    later = np.inf
    last = graph.indptr[u + 1]
    for edge in range(graph.indptr[u], last + 1):
        # one turn more than edges: the wait
        v = u
        through = g
        if edge < last:
            v = graph.indices[edge]
            through += graph.weights[edge]
        else:
            through += waits[u]
        f = through + max(h[v], rest)
        if f <= done or f >= later:
            continue
        if f <= bound:
            if not forbidden(table, xy, query.clearance, t, u, v):
                generate(h, xy, query, others, work, progress, record, v, through, f)
        elif not forbidden(table, xy, query.clearance, t, u, v) and not dominated(query, work, v, t + 1, through):
            later = f
    work.f[record] = later
    if later < np.inf:
        progress[WAITING] = push(work.waiting_keys, work.waiting_ties, work.waiting_items, progress[WAITING], later, h[u], record)


@inner
def begin(h, query, work, progress, values):
    """Put the start into an empty search."""
    fill(progress, 0, progress.size, 0)
    work.node[0] = query.start
    work.time[0] = 0
    work.g[0] = 0.0
    work.done[0] = -1.0
    work.parent[0] = -1
    work.conflicts[0] = 0
    work.next[0] = -1
    work.flags[0] = ARRIVED if query.start == query.goal and query.rest_from == 0 else 0
    f = max(h[query.start], query.arrive_from * query.min_step)
    values[FMIN] = f
    key = state_key(query, query.start, 0)
    at = find_slot(work, query.stamp, key)
    work.slot_stamp[at] = query.stamp
    work.slot_key[at] = key
    work.slot_record[at] = 0
    progress[RECORDS] = 1
    if f < np.inf:
        add(h, query, work, progress, 0, f)


@kernel
def search(graph, waits, xy, h, query, table, others, work, progress, values, max_expansions):
    """Run the search for at most `max_expansions` expansions.

    Args:
        graph: Csr, forward.
        waits: (N,) float64 cost of waiting at each node.
        xy: (N, D) float64 coordinates.
        h: (N,) float64 exact distances to the goal, inf where it cannot be reached.
        query: a Query.
        table: a ConstraintTable.
        others: (T, K) int32 paths of other agents to be avoided if possible; column `query.skip` is left out.
        work: a Work whose slots carry no entry of `query.stamp` when the search begins.
        progress: (7,) int64; RECORDS = 0 begins a search. RESULT holds the goal record when FOUND.
        values: (1,) float64; FMIN is a lower bound on the cost of any path under the constraints.

    Returns:
        FOUND, EXHAUSTED (there is no such path), BUDGET, or FULL (begin again with larger arrays).
    """
    if progress[RECORDS] == 0:
        begin(h, query, work, progress, values)
    capacity = work.node.size - query.max_degree - 3
    expanded = 0
    while True:
        if (progress[FOCAL] == 0 or is_focal(query)) and not raise_bound(h, query, work, progress, values):
            return EXHAUSTED
        if expanded >= max_expansions:
            return BUDGET
        if progress[RECORDS] > capacity or progress[OPEN] > capacity:
            return FULL
        if progress[FOCAL] == 0:
            continue
        key, record = work.focal_keys[0], work.focal_items[0]
        progress[FOCAL] = pop(work.focal_keys, work.focal_ties, work.focal_items, progress[FOCAL])
        if work.flags[record] & DEAD:
            continue
        # counting is the dear part, so it is left until a state is about to be expanded
        count(xy, query, others, work, record)
        patient = progress[EXPANDED] < query.patience
        if patient and work.f[record] + query.penalty * work.conflicts[record] > key:
            admit(h, query, work, progress, record)
            continue
        if work.flags[record] & ARRIVED:
            progress[RESULT] = record
            return FOUND
        expanded += 1
        expand(graph, waits, xy, h, query, table, others, work, progress, record, focal_bound(query, values))


@kernel
def trace(work, record, path):
    """Write the nodes from the start to `record` into `path` (time + 1 entries, int32)."""
    while record >= 0:
        path[work.time[record]] = work.node[record]
        record = work.parent[record]
