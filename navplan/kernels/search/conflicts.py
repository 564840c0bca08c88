"""When two timed moves get in each other's way, and which steps of a set of paths do.

A move is a pair of nodes taken in one time step, straight and at constant speed; a wait is a move on the spot. Clearance 0 is
the grid rule (same node, or a swap); above 0 two moves conflict when they come closer than the clearance at any instant.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.jit import kernel

# What a constraint forbids one agent; see `navplan.kernels.search.constraints.ConstraintTable`.
ARRIVAL = 0
MOVE = 1
DISC = 2
KEEP_OUT = 3
LATER = 4


@kernel
def nearest_time(xy, u, v, a, b):
    """Instant in [0, 1] at which the moves u -> v and a -> b are nearest, and their squared distance then.

    Without relative motion the end counts, so that a conflict is stated where the next step sees it too.
    """
    along = 0.0
    speed = 0.0
    apart = 0.0
    for axis in range(xy.shape[1]):
        offset = xy[u, axis] - xy[a, axis]
        drift = xy[v, axis] - xy[b, axis] - offset
        along += offset * drift
        speed += drift * drift
        apart += offset * offset
    if speed == 0.0:
        return 1.0, apart
    tau = min(1.0, max(0.0, -along / speed))
    squared = 0.0
    for axis in range(xy.shape[1]):
        offset = xy[u, axis] - xy[a, axis]
        gap = offset + tau * (xy[v, axis] - xy[b, axis] - offset)
        squared += gap * gap
    return tau, squared


@kernel
def moves_conflict(xy, clearance, u, v, a, b):
    """True when the simultaneous moves u -> v and a -> b conflict."""
    if v == b or (u == b and v == a):
        return True
    if clearance == 0.0:
        return False
    for axis in range(xy.shape[1]):
        # most pairs stay apart along one axis for the whole step
        offset = xy[u, axis] - xy[a, axis]
        after = xy[v, axis] - xy[b, axis]
        if (offset >= clearance and after >= clearance) or (offset <= -clearance and after <= -clearance):
            return False
    _, squared = nearest_time(xy, u, v, a, b)
    return squared < clearance * clearance


@kernel
def count_conflicts(xy, clearance, others, skip, step, u, v):
    """How many columns of `others` but `skip` conflict with the move u -> v at `step`.

    Args:
        others: (T, K) int32 node ids per time step; after the last row everybody rests.
    """
    last = others.shape[0] - 1
    now = min(step, last)
    then = min(step + 1, last)
    count = 0
    for agent in range(others.shape[1]):
        if agent != skip and moves_conflict(xy, clearance, u, v, others[now, agent], others[then, agent]):
            count += 1
    return count


@kernel
def find_conflicts(xy, clearance, paths, agent, per_pair, where, which):
    """List the conflicts of one agent with all others, or of all pairs, at every time step.

    Args:
        xy: (N, D) float64 coordinates.
        clearance: 0 or the least distance allowed.
        paths: (T, A) int32; after the last row everybody rests, so that T - 1 steps say all.
        agent: column to check against the rest, or -1 for all pairs.
        per_pair: list at most so many steps of one pair, the earliest.
        where: (C, 4) int32, written: first agent, second agent, step, kind (ARRIVAL, MOVE or DISC).
        which: (C, 1 + D) float64, written for DISC: instant within the step, midpoint of the two agents.

    Returns:
        The number listed; C must be at least per_pair times the pairs.
    """
    steps, agents = paths.shape
    count = 0
    for i in range(agents):
        if agent >= 0 and i != agent:
            continue
        for j in range(0 if agent >= 0 else i + 1, agents):
            if j == i:
                continue
            listed = 0
            for step in range(steps - 1):
                u, v = paths[step, i], paths[step + 1, i]
                a, b = paths[step, j], paths[step + 1, j]
                if not moves_conflict(xy, clearance, u, v, a, b):
                    continue
                first, second = min(i, j), max(i, j)
                where[count, 0] = first
                where[count, 1] = second
                where[count, 2] = step
                if clearance == 0.0:
                    where[count, 3] = ARRIVAL if v == b else MOVE
                else:
                    where[count, 3] = DISC
                    tau, _ = nearest_time(xy, u, v, a, b)
                    which[count, 0] = tau
                    for axis in range(xy.shape[1]):
                        mine = xy[u, axis] + tau * (xy[v, axis] - xy[u, axis])
                        theirs = xy[a, axis] + tau * (xy[b, axis] - xy[a, axis])
                        which[count, 1 + axis] = 0.5 * (mine + theirs)
                count += 1
                listed += 1
                if listed == per_pair:
                    break
    return count


@kernel
def first_too_close(xy, nodes, clearance):
    """The first pair of entries of `nodes` closer than `clearance`, or (-1, -1)."""
    for i in range(nodes.size):
        for j in range(i + 1, nodes.size):
            if moves_conflict(xy, clearance, nodes[i], nodes[i], nodes[j], nodes[j]):
                return i, j
    return -1, -1


@kernel
def longest_row(indptr):
    """Largest out-degree."""
    most = 0
    for u in range(indptr.size - 1):
        most = max(most, indptr[u + 1] - indptr[u])
    return np.int64(most)
