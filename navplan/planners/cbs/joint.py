"""A few agents planned together to optimality, for problems whose agents are coupled so tightly that a conflict tree explodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navplan.kernels.cbs.joint import MADE, POPPED, RESULT, SIZE, JointTeam, JointWork, joint_search, joint_trace
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.planners.base import Clock
from navplan.planners.weighted import Weighted
from navplan.system.arrays import Float64, Int32, freeze

SLICE = 4000


class JointResult(NamedTuple):
    """What a joint search found.

    Attributes:
        status: FOUND, EXHAUSTED (no plan exists) or FULL (given up).
        paths: per agent, int32 nodes up to its last arrival; empty unless FOUND.
        bound: proved lower bound on the sum of costs; the optimum when FOUND.
        expanded: joint states.
    """

    status: int
    paths: list[Int32]
    bound: float
    expanded: int


def plan_jointly(
    weighted: Weighted,
    starts: Int32,
    goals: Int32,
    tables: Float64,
    clearance: float,
    clock: Clock,
    capacity: int,
) -> JointResult:
    """Search with at most `capacity` records.

    Args:
        starts, goals: (K,) of the agents, at most 30.
        tables: (K, N) exact distances to their goals.

    Raises:
        OutOfTime: the deadline passed.
    """
    agents = len(goals)
    team = JointTeam(np.array(starts, np.int32), np.array(goals, np.int32), np.array(tables, np.float64), clearance)
    freeze(team.starts, team.goals, team.tables)
    work = JointWork(
        rows=np.empty((capacity, 2 * agents + 1), np.int32),
        g=np.empty(capacity),
        parent=np.empty(capacity, np.int32),
        slots=np.full(1 << (2 * capacity - 1).bit_length(), -1, np.int32),
        keys=np.empty(capacity),
        ties=np.empty(capacity),
        items=np.empty(capacity, np.int32),
    )
    progress = np.zeros(4, np.int64)
    status = BUDGET
    while status == BUDGET:
        clock.check()
        status = joint_search(weighted.forward, weighted.waits, weighted.xy, team, work, progress, SLICE)
    expanded = int(progress[POPPED])
    if status == EXHAUSTED:
        return JointResult(EXHAUSTED, [], np.inf, expanded)
    bound = float(work.keys[0]) if progress[SIZE] > 0 else 0.0
    if status != FOUND:
        return JointResult(FULL, [], bound, expanded)
    record = int(progress[RESULT])
    table = np.empty((int(progress[MADE]) + 1, agents), np.int32)
    table = table[: joint_trace(agents, work, record, table)]
    return JointResult(FOUND, [upto_arrival(table[:, k]) for k in range(agents)], float(work.g[record]), expanded)


def upto_arrival(column: Int32) -> Int32:
    """Without the waits at the end."""
    moved = np.flatnonzero(column != column[-1])
    return np.ascontiguousarray(column[: moved[-1] + 2 if moved.size else 1])
