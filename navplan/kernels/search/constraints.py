"""What one agent must not do, in arrays: the constraints that Conflict-Based Search puts on its low level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.search.conflicts import ARRIVAL, MOVE, moves_conflict


class ConstraintTable(NamedTuple):
    """An agent's constraints, sorted by step; step t owns the entries first[t] .. first[t + 1] - 1, (L + 1,) int32.

    kind (K,) int8; ARRIVAL forbids ending the step at a, MOVE forbids a -> b, DISC forbids moves that at instant tau of the step
    are nearer to centre (K, D) than the root of r2. Beside these, (Q,) each: from step keep_step on, no move may conflict with
    an agent resting at keep_node. All arrays are read-only.
    """

    first: NDArray[np.int32]
    kind: NDArray[np.int8]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    tau: NDArray[np.float64]
    centre: NDArray[np.float64]
    r2: NDArray[np.float64]
    keep_step: NDArray[np.int32]
    keep_node: NDArray[np.int32]


@inner
def forbidden(table, xy, clearance, step, u, v):
    """True when a constraint forbids the move u -> v at `step`."""
    for k in range(table.keep_step.size):
        rested = table.keep_node[k]
        if step >= table.keep_step[k] and moves_conflict(xy, clearance, u, v, rested, rested):
            return True
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
def first_rest(table, xy, clearance, goal):
    """First step from which resting at `goal` for ever breaks no constraint; keeping out of others' goals never bars it."""
    for step in range(table.first.size - 2, -1, -1):
        if forbidden(table, xy, clearance, step, goal, goal):
            return step + 1
    return 0


@kernel
def first_arrival(table, goal, rest_from):
    """First step at which the last arrival can be: one later than `rest_from` if the goal itself is barred then."""
    if 0 < rest_from < table.first.size:
        for k in range(table.first[rest_from - 1], table.first[rest_from]):
            if table.kind[k] == ARRIVAL and table.a[k] == goal:
                return rest_from + 1
    return rest_from
