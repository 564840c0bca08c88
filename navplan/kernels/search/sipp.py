"""Safe-interval path planning among the paths of a reservation table, hard obstacles and soft ones.

A state is a node and an interval of time in which nothing changes there (SIPP, Phillips and Likhachev 2011); soft obstacles make
intervals that may be entered at the price of a conflict (SIPPS, Li et al. 2022). Where moves and waits cost 1 each, cost is time,
and the earliest arrival in an interval is all that counts. Elsewhere an interval is one time step, up to the horizon of the table
after which nothing changes, and waiting is an edge like any other: then one label per interval is enough again.

Tested through tests/planners/priority/test_prioritized.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.masks import closed_to
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import NEVER, free_for_good, next_free, next_taken

# Every path in the table is in the way; agents that are not `hard` cost a conflict each and are avoided before, or after, cost.
HARD = 0
FEWEST = 1
CHEAPEST = 2

FOREVER = NEVER - 1
# Between labels of equal conflicts and f, that nearer to the goal; a weight too small to change the order of different f.
_NEARER = 1e-7


class Ground(NamedTuple):
    """What agents move on and where they go.

    Attributes:
        indptr, indices, weights: the graph, (N + 1,) int32, (M,) int32, (M,) float64.
        waits: (N,) float64 cost of a wait.
        tables: (A, N) float32 lower bounds on the cost from each node to each agent's goal.
        starts, goals: (A,) int32.
        timed: (1,) int64, 0 when every move and wait costs 1.
        groups, closed: (A,) int32 and (K, M) or (0,) bool, edges that agents may not use, see `navplan.kernels.common.masks`.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    waits: NDArray[np.float64]
    tables: NDArray[np.float32]
    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    timed: NDArray[np.int64]
    groups: NDArray[np.int32]
    closed: NDArray[np.bool_]


class SippWork(NamedTuple):
    """Search memory for L labels; a label is a way to reach a node in an interval.

    Attributes:
        keys, ties, items: the heap, L + 1 entries.
        nodes, times, ends, softs, parents, siblings: (L,) int32; ends are the intervals' last times, -1 for a finished path.
        costs: (L,) float64.
        dead: (L,) uint8 dominated.
        first: (N,) int32 newest label of a node; valid where stamps (N,) int32 holds the number of this search.
        hard: (A,) uint8 agents that are in the way in any mode.
        path: (C,) int32 the path found.
        counts: (8,) int64: heap size, labels, searches, length of the path found, expansions so far, soft conflicts of the path.
        price: (1,) float64 cost of the path found.
    """

    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]
    nodes: NDArray[np.int32]
    times: NDArray[np.int32]
    ends: NDArray[np.int32]
    softs: NDArray[np.int32]
    parents: NDArray[np.int32]
    siblings: NDArray[np.int32]
    costs: NDArray[np.float64]
    dead: NDArray[np.uint8]
    first: NDArray[np.int32]
    stamps: NDArray[np.int32]
    hard: NDArray[np.uint8]
    path: NDArray[np.int32]
    counts: NDArray[np.int64]
    price: NDArray[np.float64]


SIZE, MADE, SEARCHES, LENGTH, EXPANDED, SOFT = 0, 1, 2, 3, 4, 5


@inner
def crowd(table, hard, node, time):
    """Soft agents that `node` holds at `time`, or -1 when a hard one is among them."""
    count = 0
    if time < table.head.shape[1]:
        other = table.head[node, time] - 1
        while other >= 0:
            if hard[other] != 0:
                return -1
            count += 1
            other = table.link[other, time]
    if table.rests[node] <= time:
        if hard[table.owner[node]] != 0:
            return -1
        count += 1
    return count


@inner
def swappers(table, hard, mode, node, before, time):
    """Agents that go from `node` to `before` while ours goes the other way, arriving at `time`; -1 if one is hard."""
    if time >= table.head.shape[1]:
        return 0
    count = 0
    other = table.head[before, time] - 1
    while other >= 0:
        if table.paths[other, time - 1] == node:
            if mode == HARD or hard[other] != 0:
                return -1
            count += 1
        other = table.link[other, time]
    return count


@inner
def passers(table, hard, node, time):
    """Visits of soft agents to `node` after `time`, or -1 when a hard agent comes."""
    count = 0
    at = next_taken(table.bits, node, time + 1)
    while at < NEVER:
        here = crowd(table, hard, node, at)
        if here < 0:
            return -1
        count += here
        at = next_taken(table.bits, node, at + 1)
    return count


@inner
def interval(table, hard, mode, timed, node, time, limit):
    """The first interval at `node` that can be entered from `time` to `limit`.

    Returns:
        First time from `time` on in it, or NEVER; its last time; soft agents met on entering.
    """
    rest = table.rests[node]
    while time <= limit:
        taken = next_taken(table.bits, node, time)
        soft = 0
        if taken > time:
            end = taken - 1
            if time < rest:
                end = min(end, rest - 1)
            elif mode == HARD or hard[table.owner[node]] != 0:
                return NEVER, 0, 0
            else:
                soft = 1
        elif mode == HARD:
            time = next_free(table.bits, node, time)
            continue
        else:
            soft = crowd(table, hard, node, time)
            if soft < 0:
                time += 1
                continue
            end = time
        if timed and time < table.horizon[0]:
            end = time
        return time, end, soft
    return NEVER, 0, 0


@inner
def add_label(work, node, time, end, soft, cost, parent, mode, f, h):
    """Enter a label unless another of its interval is no worse; False when there is no room."""
    label = work.counts[MADE]
    if end >= 0:
        if work.stamps[node] != work.counts[SEARCHES]:
            work.stamps[node] = work.counts[SEARCHES]
            work.first[node] = -1
        other = work.first[node]
        while other >= 0:
            if work.ends[other] == end and work.dead[other] == 0:
                if work.softs[other] <= soft and work.costs[other] <= cost:
                    return True
                if work.softs[other] >= soft and work.costs[other] >= cost:
                    work.dead[other] = 1
            other = work.siblings[other]
        if label == work.nodes.size:
            return False
        work.siblings[label] = work.first[node]
        work.first[node] = label
    elif label == work.nodes.size:
        return False
    work.nodes[label] = node
    work.times[label] = time
    work.ends[label] = end
    work.softs[label] = soft
    work.costs[label] = cost
    work.parents[label] = parent
    work.dead[label] = 0
    work.counts[MADE] = label + 1
    if mode == HARD:
        key, tie = f, h
    elif mode == FEWEST:
        key, tie = float(soft), f + _NEARER * h
    else:
        key, tie = f, soft + _NEARER * h
    work.counts[SIZE] = push(work.keys, work.ties, work.items, work.counts[SIZE], key, tie, np.int32(label))
    return True


@inner
def soonest(ground, table, agent, mode):
    """Lower bound on the cost of any path of `agent`: it cannot rest at its goal before others have passed."""
    if mode == HARD and ground.timed[0] == 0:
        return float(free_for_good(table.bits, ground.goals[agent]))
    return 0.0


@kernel
def search(ground, table, work, agent, mode, bound, max_expansions, resume):
    """Look for a path of `agent`, which must not be in the table.

    Args:
        ground, table, work: a Ground, `navplan.kernels.search.reservation.Reservations`, a SippWork.
        agent: for whom.
        mode: HARD, FEWEST (conflicts with soft agents, then cost) or CHEAPEST (cost, then conflicts).
        bound: paths that cost more are not wanted.
        max_expansions: in this call.
        resume: 1 to go on after BUDGET, with the same arguments and table; else 0.

    Returns:
        FOUND (the path is in `work.path`, length, soft conflicts and cost beside it), EXHAUSTED, BUDGET, or FULL: no room for
        labels, or the path is longer than the table.
    """
    counts = work.counts
    earliest = soonest(ground, table, agent, mode)
    if resume == 0:
        counts[SIZE] = 0
        counts[MADE] = 0
        counts[SEARCHES] += 1
        start = ground.starts[agent]
        when, end, soft = interval(table, work.hard, mode, ground.timed[0] != 0, start, 0, 0)
        h = float(ground.tables[agent, start])
        f = max(h, earliest)
        if when != 0 or f > bound:
            return EXHAUSTED
        add_label(work, start, 0, end, soft, 0.0, -1, mode, f, h)
    limit = counts[EXPANDED] + max_expansions
    while counts[SIZE] > 0:
        if counts[EXPANDED] >= limit:
            return BUDGET
        label = work.items[0]
        counts[SIZE] = pop(work.keys, work.ties, work.items, counts[SIZE])
        if work.dead[label] != 0:
            continue
        counts[EXPANDED] += 1
        status = expand(ground, table, work, agent, mode, label, bound, earliest)
        if status == FOUND:
            return unwind(work, label)
        if status == FULL:
            return FULL
    return EXHAUSTED


@inner
def expand(ground, table, work, agent, mode, label, bound, earliest):
    """Enter the labels that follow from `label`; FOUND when it is the end of a path, FULL when there is no room, else BUDGET."""
    timed = ground.timed[0] != 0
    node = work.nodes[label]
    time = np.int64(work.times[label])
    end = np.int64(work.ends[label])
    soft = work.softs[label]
    cost = work.costs[label]
    if node == ground.goals[agent]:
        if end < 0:
            return FOUND
        ahead = 0
        if mode != HARD:
            ahead = passers(table, work.hard, node, time)
        elif next_taken(table.bits, node, time + 1) < NEVER:
            ahead = -1
        if ahead == 0:
            return FOUND
        if ahead > 0 and not add_label(work, node, time, -1, soft + ahead, cost, label, mode, cost, 0.0):
            return FULL
    waits = end < FOREVER and (timed or mode != HARD)
    low, high = ground.indptr[node], ground.indptr[node + 1]
    for edge in range(low, high + 1 if waits else high):
        if edge == high:
            target, step, when, limit = node, ground.waits[node], end + 1, end + 1
        else:
            target, step, when, limit = ground.indices[edge], ground.weights[edge], time + 1, min(end + 1, FOREVER)
        h = float(ground.tables[agent, target])
        if h == np.inf or cost + (step if timed else 1.0) + h > bound:
            continue
        if edge < high and closed_to(ground.groups, ground.closed, agent, edge):
            continue
        if not timed and limit + h > bound:
            limit = np.int64(bound - h)
        while when <= limit:
            when, until, met = interval(table, work.hard, mode, timed, target, when, limit)
            if when == NEVER:
                break
            if when == end + 1 and end < FOREVER and target != node:
                passed = swappers(table, work.hard, mode, target, node, when)
                if passed < 0:
                    break
                met += passed
            then = cost + (step if timed else float(when - time))
            f = max(then + h, earliest)
            if f <= bound and not add_label(work, target, when, until, soft + met, then, label, mode, f, h):
                return FULL
            when = until + 1
    return BUDGET


@inner
def unwind(work, label):
    """Write the path that ends with `label`; FULL when it is longer than there is room for, else FOUND."""
    length = np.int64(work.times[label]) + 1
    work.counts[LENGTH] = length
    work.counts[SOFT] = work.softs[label]
    work.price[0] = work.costs[label]
    if length > work.path.size:
        return FULL
    time = length
    while label >= 0:
        first = work.times[label]
        for at in range(first, time):
            work.path[at] = work.nodes[label]
        time = first
        label = work.parents[label]
    return FOUND
