"""Multi-valued decision diagrams of shortest paths, and whether two of them hold paths without a conflict.

Level t of a diagram has the nodes at which an agent can be at time t on a path of its cost. Two agents' diagrams are walked level
by level, keeping the pairs of nodes that both can be at after t steps without a conflict (the others are mutex, Zhang et al.
2022). Every way to a pair of diagram nodes lies within the diagrams, since distances are consistent: so what is found mutex is so
for longer paths too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.cbs.unit_search import barred
from navplan.kernels.common.jit import inner, kernel

NEVER = np.int32(1 << 30)


class Diagram(NamedTuple):
    """The paths of one cost.

    Attributes:
        first: (C + 2,) int32 level t has the nodes first[t] .. first[t + 1] - 1.
        nodes: (K,) int32.
        after: (K + 1,) int32 where the successors of each begin.
        successors: (E,) int32 positions within the next level.
    """

    first: NDArray[np.int32]
    nodes: NDArray[np.int32]
    after: NDArray[np.int32]
    successors: NDArray[np.int32]


@kernel
def build_diagram(indptr, indices, h, start, goal, cost, bars, place, diagram):
    """Fill `diagram` with all paths under `bars` whose last arrival is at time `cost`.

    Args:
        place: (N,) int32, all -1, and left so.

    Returns:
        (nodes, successors) needed; the diagram is filled only if it has room for them. (0, 0) when there is no such path.
    """
    first, nodes = diagram.first, diagram.nodes
    if h[start] > cost or barred(bars, -1, start, 0):
        return 0, 0
    count = 1
    first[0] = 0
    first[1] = 1
    nodes[0] = start
    for time in range(1, cost + 1):
        for k in range(first[time - 1], first[time]):
            u = nodes[k]
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if h[v] > cost - time or place[v] >= 0 or barred(bars, u, v, time):
                    continue
                if time == cost and u == goal:
                    continue
                if count < nodes.size:
                    nodes[count] = v
                    place[v] = count
                count += 1
        if count >= nodes.size:
            for k in range(first[time], nodes.size):
                place[nodes[k]] = -1
            return count * 4, 0
        first[time + 1] = count
        for k in range(first[time], count):
            place[nodes[k]] = -1
        if count == first[time]:
            return 0, 0
    return prune(indptr, indices, h, goal, cost, bars, place, diagram)


@inner
def prune(indptr, indices, h, goal, cost, bars, place, diagram):
    """Drop the nodes from which the goal is not reached in time, and link the rest."""
    first, nodes, after, successors = diagram.first, diagram.nodes, diagram.after, diagram.successors
    # from the last level back: a node without a living successor is marked dead by -1 - node
    for time in range(cost - 1, -1, -1):
        for k in range(first[time + 1], first[time + 2]):
            if nodes[k] >= 0:
                place[nodes[k]] = k
        for k in range(first[time], first[time + 1]):
            u = nodes[k]
            alive = False
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if place[v] >= 0 and not barred(bars, u, v, time + 1) and not (time + 1 == cost and u == goal):
                    alive = True
                    break
            if not alive:
                nodes[k] = -1 - u
        for k in range(first[time + 1], first[time + 2]):
            if nodes[k] >= 0:
                place[nodes[k]] = -1
    count = 0
    begin = 0
    for time in range(cost + 1):
        end = first[time + 1]
        first[time] = count
        for k in range(begin, end):
            if nodes[k] >= 0:
                nodes[count] = nodes[k]
                count += 1
        begin = end
    first[cost + 1] = count
    links = 0
    for time in range(cost + 1):
        if time < cost:
            for k in range(first[time + 1], first[time + 2]):
                place[nodes[k]] = k - first[time + 1]
        for k in range(first[time], first[time + 1]):
            u = nodes[k]
            after[k] = links
            if time == cost:
                continue
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if place[v] >= 0 and not barred(bars, u, v, time + 1) and not (time + 1 == cost and u == goal):
                    if links < successors.size:
                        successors[links] = place[v]
                    links += 1
        if time < cost:
            for k in range(first[time + 1], first[time + 2]):
                place[nodes[k]] = -1
    after[count] = links
    return count, links


@kernel
def least_met(diagram, traffic, work, path):
    """Write the path of a diagram that is not empty with the fewest conflicts with the traffic.

    Args:
        work: (2, K) int32 scratch.
        path: (C + 1,) int32.

    Returns:
        How many conflicts there are up to the end of the path; resting at its last node is the same for all.
    """
    first, nodes, after, successors = diagram
    met, parent = work[0], work[1]
    last = traffic.head.shape[0] - 1
    cost = path.size - 1
    met[0] = 0
    for time in range(1, cost + 1):
        begin, end = first[time], first[time + 1]
        met[begin:end] = NEVER
        for k in range(first[time - 1], begin):
            u = nodes[k]
            # those who are here now, which matter to whom we swap with
            here = traffic.head[min(time, last), u]
            for link in range(after[k], after[k + 1]):
                to = begin + successors[link]
                total = met[k]
                v = nodes[to]
                other = here
                while other >= 0:
                    if v != u and traffic.paths[other, min(time, last) - 1] == v and time <= last:
                        total += 1
                    other = traffic.link[other, min(time, last)]
                if total < met[to]:
                    met[to] = total
                    parent[to] = k
        for k in range(begin, end):
            other = traffic.head[min(time, last), nodes[k]]
            while other >= 0:
                met[k] += 1
                other = traffic.link[other, min(time, last)]
    at = first[cost]
    total = met[at]
    for time in range(cost, -1, -1):
        path[time] = nodes[at]
        at = parent[at]
    return total


@inner
def step_together(one, other, time, now, then):
    """From the pairs of nodes `now` that two agents can be at a step before `time` without a conflict, to those at `time`.

    Args:
        now, then: uint8, row by row of the first agent's nodes.

    Returns:
        (whether there is a pair, pairs of moves looked at).
    """
    last, other_last = one.first.size - 2, other.first.size - 2
    a0, a1 = one.first[min(time - 1, last)], one.first[min(time - 1, last) + 1]
    b0, b1 = other.first[min(time - 1, other_last)], other.first[min(time - 1, other_last) + 1]
    c0, c1 = one.first[min(time, last)], one.first[min(time, last) + 1]
    d0, d1 = other.first[min(time, other_last)], other.first[min(time, other_last) + 1]
    width, old_width = d1 - d0, b1 - b0
    then[: (c1 - c0) * width] = 0
    alive = False
    looked = 0
    for a in range(a0, a1):
        u = one.nodes[a]
        for b in range(b0, b1):
            if now[(a - a0) * old_width + b - b0] == 0:
                continue
            x = other.nodes[b]
            looked += 1
            for s in range(one.after[a], one.after[a + 1] if time <= last else one.after[a] + 1):
                c = one.successors[s] if time <= last else 0
                v = one.nodes[c0 + c]
                for r in range(other.after[b], other.after[b + 1] if time <= other_last else other.after[b] + 1):
                    d = other.successors[r] if time <= other_last else 0
                    y = other.nodes[d0 + d]
                    if v != y and not (u == y and v == x):
                        then[c * width + d] = 1
                        alive = True
    return alive, looked


@inner
def width_at(diagram, time):
    """Nodes of a level; after the last one the agent rests."""
    level = min(time, diagram.first.size - 2)
    return np.int64(diagram.first[level + 1] - diagram.first[level])


@inner
def share(one, time, other, other_time, place):
    """True when levels of two diagrams have a node in common."""
    level, other_level = min(time, one.first.size - 2), min(other_time, other.first.size - 2)
    for k in range(one.first[level], one.first[level + 1]):
        place[one.nodes[k]] = 0
    found = False
    for k in range(other.first[other_level], other.first[other_level + 1]):
        if place[other.nodes[k]] == 0:
            found = True
            break
    for k in range(one.first[level], one.first[level + 1]):
        place[one.nodes[k]] = -1
    return found


@inner
def touch(one, other, time, place):
    """True when two agents may conflict by a move that ends at `time`."""
    if share(one, time, other, time, place):
        return True
    return share(one, time - 1, other, time, place) and share(one, time, other, time - 1, place)


@kernel
def first_dead_level(one, other, place, now, then, most):
    """Walk two diagrams together, from where they first touch to where they last do.

    Args:
        one, other: Diagrams; an agent rests at its last node.
        place: (N,) int32, all -1, and left so.
        now, then: (P,) uint8 scratch, for the pairs of one level.
        most: pairs of nodes to look at.

    Returns:
        The first time at which no pair is left, -1 if the diagrams hold paths without a conflict, -2 if that takes more work.
    """
    if one.nodes.size == 0 or other.nodes.size == 0:
        return 0
    levels = max(one.first.size, other.first.size) - 1
    first, last = levels, 0
    for time in range(1, levels):
        if touch(one, other, time, place):
            first, last = min(first, time), time
    if last == 0:
        return -1
    pairs = width_at(one, first - 1) * width_at(other, first - 1)
    if pairs > now.size:
        return -2
    now[:pairs] = 1
    looked = 0
    for time in range(first, last + 1):
        pairs = width_at(one, time) * width_at(other, time)
        if pairs > then.size or looked > most:
            return -2
        alive, more = step_together(one, other, time, now, then)
        if not alive:
            return time
        looked += pairs + 4 * more
        now[:pairs] = then[:pairs]
    return -1


@kernel
def widest_cut(one, other, path, other_path, since, table, where, keep, other_keep):
    """Sets of nodes at one time, as large as can be, such that two agents cannot be in both: whoever is in one bars the other.

    The agents' nodes on their paths are among them. The fraction that the sets hold of the pairs of their level counts.

    Args:
        path, other_path: (C + 1,) int32, paths of the diagrams.
        since: the first time to look at.
        table: (P,) uint8 scratch, for the pairs of all levels.
        where: (T,) int64 scratch.
        keep, other_keep: (K,) uint8, written: which nodes of the level.

    Returns:
        The time; -1 if there are none, or they take more room.
    """
    levels = max(one.first.size, other.first.size) - 1
    total = 0
    for time in range(levels):
        where[time] = total
        total += width_at(one, time) * width_at(other, time)
    if total > table.size:
        return -1
    table[0] = 1
    best, chosen, by_column = 0.0, -1, False
    for time in range(1, levels):
        step_together(one, other, time, table[where[time - 1] :], table[where[time] :])
        if time < since:
            continue
        rows, columns = width_at(one, time), width_at(other, time)
        a, b = index_of(one, path, time), index_of(other, other_path, time)
        pairs = table[where[time] : where[time] + rows * columns]
        if pairs[a * columns + b] != 0:
            continue
        for column in range(2):
            share = mark(pairs, rows, columns, a, b, column == 1, keep, other_keep) / (rows * columns)
            if share >= best:
                best, chosen, by_column = share, time, column == 1
    if chosen >= 0:
        rows, columns = width_at(one, chosen), width_at(other, chosen)
        a, b = index_of(one, path, chosen), index_of(other, other_path, chosen)
        mark(table[where[chosen] :], rows, columns, a, b, by_column, keep, other_keep)
    return chosen


@inner
def index_of(diagram, path, time):
    """Where a path's node is within its level."""
    level = min(time, path.size - 1)
    at = diagram.first[level]
    while diagram.nodes[at] != path[level]:
        at += 1
    return np.int64(at - diagram.first[level])


@inner
def mark(pairs, rows, columns, a, b, by_column, keep, other_keep):
    """Mark the rows and columns of zeros only that grow from row a, or from column b; returns how many pairs they make."""
    keep[:rows] = 0
    other_keep[:columns] = 0
    if by_column:
        for r in range(rows):
            keep[r] = pairs[r * columns + b] == 0
    else:
        for c in range(columns):
            other_keep[c] = pairs[a * columns + c] == 0
    count, other_count = 0, 0
    if by_column:
        for c in range(columns):
            free = False
            for r in range(rows):
                free = free or (keep[r] == 1 and pairs[r * columns + c] != 0)
            other_keep[c] = not free
    else:
        for r in range(rows):
            free = False
            for c in range(columns):
                free = free or (other_keep[c] == 1 and pairs[r * columns + c] != 0)
            keep[r] = not free
    for r in range(rows):
        count += keep[r]
    for c in range(columns):
        other_count += other_keep[c]
    return count * other_count


@kernel
def hops_around(indptr, indices, start, blocked, goal, hops, queue):
    """Steps from `start` to `goal` without entering nodes of `blocked` (N,) uint8 or moving along the edge between
    blocked ends marked 2; -1 when there is no way.

    Args:
        hops: (N,) int32, all -1, and left so.
        queue: (N,) int32.
    """
    size = 1
    at = 0
    queue[0] = start
    hops[start] = 0
    while at < size and hops[goal] < 0:
        u = queue[at]
        at += 1
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            if hops[v] >= 0 or blocked[v] == 1 or (blocked[v] == 2 and blocked[u] == 2):
                continue
            hops[v] = hops[u] + 1
            queue[size] = v
            size += 1
    found = hops[goal]
    for k in range(size):
        hops[queue[k]] = -1
    return found
