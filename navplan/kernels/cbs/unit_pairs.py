"""Whether the decision diagrams of two agents hold paths without a conflict, and where they do not.

The diagrams are walked level by level, keeping the pairs of nodes that both agents can be at after t steps without a conflict
(the others are mutex, Zhang et al. 2022). Every way to a pair of diagram nodes lies within the diagrams, since distances are
consistent: so what is found mutex is so for longer paths too.

Tested through tests/planners/cbs/test_unit.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import inner, kernel


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
    fill(then, 0, (c1 - c0) * width, 0)
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
    fill(now, 0, pairs, 1)
    looked = 0
    for time in range(first, last + 1):
        pairs = width_at(one, time) * width_at(other, time)
        if pairs > then.size or looked > most:
            return -2
        alive, more = step_together(one, other, time, now, then)
        if not alive:
            return time
        looked += pairs + 4 * more
        for k in range(pairs):
            now[k] = then[k]
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
    fill(keep, 0, rows, 0)
    fill(other_keep, 0, columns, 0)
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
