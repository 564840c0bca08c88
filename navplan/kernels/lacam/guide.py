"""Spread the agents over the map before the search: near-shortest paths that meet as little as possible (Okumura 2023, SUO).

Agent by agent, a best-first search over nodes (no waits, no node twice) finds the path of fewest meetings with the paths of the
others, then of least length, at most `margin` steps longer than the shortest. For graphs whose edges all cost 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import inner, kernel

# A key is (meetings, length, tie) in one float64: 20, 16 and 16 bits.
MEETING = 4294967296.0
STEP = 65536.0


class Paths(NamedTuple):
    """The paths so far, and who is where when.

    Attributes:
        steps: (A,) int32 number of steps of each path, -1 without a path.
        nodes: (A, T) int32 node at each time step.
        next: (A, T) int32 the next agent (as agent * T + time) at the same node and time, -1 at the end.
        first: (T, N) int32 the first such agent.
        rest: (N,) int32 time from which somebody rests at a node for good.
    """

    steps: NDArray[np.int32]
    nodes: NDArray[np.int32]
    next: NDArray[np.int32]
    first: NDArray[np.int32]
    rest: NDArray[np.int32]


class GuideWork(NamedTuple):
    """Memory of one search.

    Attributes:
        key: (N,) float64 best so far, valid where `stamp` is the agent's search.
        came, at: (N,) int32 node before, time.
        stamp, closed: (N,) int32.
        keys, items: the heap, room for every edge.
    """

    key: NDArray[np.float64]
    came: NDArray[np.int32]
    at: NDArray[np.int32]
    stamp: NDArray[np.int32]
    closed: NDArray[np.int32]
    keys: NDArray[np.float64]
    items: NDArray[np.int32]


@inner
def take_off(paths, agent, never):
    """Remove the agent's path; nobody rests at its goal then."""
    width = paths.nodes.shape[1]
    for t in range(paths.steps[agent] + 1):
        v = paths.nodes[agent, t]
        mine = agent * width + t
        at = paths.first[t, v]
        if at == mine:
            paths.first[t, v] = paths.next[agent, t]
            continue
        while paths.next[at // width, t] != mine:
            at = paths.next[at // width, t]
        paths.next[at // width, t] = paths.next[agent, t]
    if paths.steps[agent] >= 0:
        paths.rest[paths.nodes[agent, paths.steps[agent]]] = never
    paths.steps[agent] = -1


@inner
def put_on(paths, agent, steps):
    """Enter the path of so many steps that stands in the agent's row of nodes."""
    width = paths.nodes.shape[1]
    for t in range(steps + 1):
        v = paths.nodes[agent, t]
        paths.next[agent, t] = paths.first[t, v]
        paths.first[t, v] = agent * width + t
    paths.steps[agent] = steps
    paths.rest[paths.nodes[agent, steps]] = steps


@inner
def trace(work, goal, out):
    """Write the path that the labels tell; its number of steps."""
    steps = work.at[goal]
    v = goal
    for t in range(steps, -1, -1):
        out[t] = v
        v = work.came[v]
    return steps


@inner
def meetings_of(paths, u, v, t):
    """How many paths are at v at time t + 1, or go from v to u in that step."""
    width = paths.nodes.shape[1]
    count = 0
    at = paths.first[t + 1, v]
    while at >= 0:
        count += 1
        at = paths.next[at // width, t + 1]
    at = paths.first[t, v]
    while at >= 0:
        other = at // width
        if paths.steps[other] > t and paths.nodes[other, t + 1] == u:
            count += 1
        at = paths.next[other, t]
    if paths.rest[v] <= t:
        count += 1
    return count


@inner
def scatter_one(indptr, indices, row, start, goal, limit, paths, work, stamp):
    """The path of fewest meetings and at most `limit` steps, into the labels; its meetings."""
    work.key[start] = row[start] * STEP
    work.came[start] = -1
    work.at[start] = 0
    work.stamp[start] = stamp
    size = push_key(work.keys, work.items, 0, work.key[start], start)
    while size > 0:
        key = work.keys[0]
        u = work.items[0]
        size = pop_key(work.keys, work.items, size)
        if work.closed[u] == stamp:
            continue
        work.closed[u] = stamp
        met = np.floor(key / MEETING)
        if u == goal:
            return np.int32(met)
        t = work.at[u]
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            length = t + 1 + np.int64(row[v])
            if work.closed[v] == stamp or length > limit:
                continue
            # of equal ones the later first: it is nearer to the goal
            through = (met + meetings_of(paths, u, v, t)) * MEETING + length * STEP + (STEP - 2.0 - t)
            if work.stamp[v] != stamp or through < work.key[v]:
                work.stamp[v] = stamp
                work.key[v] = through
                work.came[v] = u
                work.at[v] = t + 1
                size = push_key(work.keys, work.items, size, through, v)
    return np.int32(-1)


@kernel
def scatter(indptr, indices, tables, starts, goals, order, first, last, margin, never, paths, work, stamp):
    """Plan the agents `order[first:last]`, each against the paths of all others; a path that meets nobody is kept.

    Args:
        indptr, indices: forward CSR; starts, goals: (A,) int32; tables: (A, N) uint16 hops.
        margin: steps by which a path may be longer than the shortest.
        never: a time after every path.
        stamp: searches before this call; the caller counts on by last - first.

    Returns:
        The meetings of these agents' paths.
    """
    total = 0
    for k in range(first, last):
        agent = order[k]
        steps = paths.steps[agent]
        if steps >= 0:
            take_off(paths, agent, never)
            met = 0
            for t in range(steps):
                met += meetings_of(paths, paths.nodes[agent, t], paths.nodes[agent, t + 1], t)
            if met == 0:
                put_on(paths, agent, steps)
                continue
        goal = goals[agent]
        limit = np.int64(tables[agent, starts[agent]]) + margin
        total += scatter_one(indptr, indices, tables[agent], starts[agent], goal, limit, paths, work, stamp + 1 + k - first)
        put_on(paths, agent, trace(work, goal, paths.nodes[agent]))
    return total


@kernel
def make_guide(paths, guide_ptr, guide_from, guide_to):
    """Enter each path's steps in the agent's hash table of preferred moves, see `navplan.kernels.lacam.pibt.PibtScene`."""
    for agent in range(paths.steps.size):
        start = guide_ptr[agent]
        mask = guide_ptr[agent + 1] - start - 1
        for t in range(paths.steps[agent]):
            u = paths.nodes[agent, t]
            slot = (u * 40503) & mask
            while guide_from[start + slot] >= 0:
                slot = (slot + 1) & mask
            guide_from[start + slot] = u
            guide_to[start + slot] = paths.nodes[agent, t + 1]
