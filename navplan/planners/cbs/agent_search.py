"""One agent's search under constraints: the Python face of the space-time kernel, with the memory it works in."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from navplan.kernels.common.status import BUDGET, EXHAUSTED, FULL
from navplan.kernels.search.conflicts import KEEP_OUT, LATER
from navplan.kernels.search.constraints import Table, first_arrival, first_rest
from navplan.kernels.search.space_time import (
    EXPANDED,
    FMIN,
    GENERATED,
    RESULT,
    Query,
    Work,
    search,
    trace,
)
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Weighted, expansions_per_slice, freeze
from navplan.system.arrays import Float64, Int32


class Constraint(NamedTuple):
    """What one agent must not do in time step `step`: see `navplan.kernels.search.constraints.Table`.

    KEEP_OUT holds from that step on; LATER means that the last arrival is after that step.
    """

    step: int
    kind: int
    a: int = -1
    b: int = -1
    tau: float = 0.0
    centre: tuple[float, ...] = ()
    r2: float = 0.0


class Route(NamedTuple):
    """A path with its cost, a lower bound on the cost of any path under the same constraints, and its conflicts."""

    path: Int32
    cost: float
    bound: float
    conflicts: int


NO_OTHERS = np.zeros((1, 0), np.int32)

# What a bounded search pays to avoid one conflict, in typical steps.
WAY_ROUND = 5


def typical_step(weighted: Weighted) -> float:
    """What avoiding one conflict is worth: the median wait, or where waits are free the median edge."""
    wait = float(np.median(weighted.waits))
    if wait > 0.0 or not weighted.forward.weights.size:
        return max(wait, 1e-9)
    return float(np.median(weighted.forward.weights))


def pack(paths: Sequence[Int32]) -> Int32:
    """(T, K) int32 with one column per path; shorter ones rest at their last node."""
    if not paths:
        return NO_OTHERS
    longest = max(len(path) for path in paths)
    table = np.empty((longest, len(paths)), np.int32)
    for column, path in enumerate(paths):
        table[: len(path), column] = path
        table[len(path) :, column] = path[-1]
    return table


def make_table(constraints: Collection[Constraint], dimensions: int) -> Table:
    """The constraints of one agent in the kernel's layout; LATER is none of its business."""
    rows = sorted(row for row in constraints if row.kind < KEEP_OUT)
    keep = sorted(row for row in constraints if row.kind == KEEP_OUT)
    steps = np.array([row.step for row in rows], np.int64)
    last = rows[-1].step + 1 if rows else 0
    table = Table(
        first=np.searchsorted(steps, np.arange(last + 1)).astype(np.int32),
        kind=np.array([row.kind for row in rows], np.int8),
        a=np.array([row.a for row in rows], np.int32),
        b=np.array([row.b for row in rows], np.int32),
        tau=np.array([row.tau for row in rows], np.float64),
        centre=np.array([row.centre or (0.0,) * dimensions for row in rows], np.float64).reshape(len(rows), dimensions),
        r2=np.array([row.r2 for row in rows], np.float64),
        keep_step=np.array([row.step for row in keep], np.int32),
        keep_node=np.array([row.a for row in keep], np.int32),
    )
    freeze(*table)
    return table


def make_work(capacity: int) -> Work:
    """Memory for `capacity` records; the hash table keeps below half full."""
    slots = 1 << (2 * capacity - 1).bit_length()
    return Work(
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int8),
        np.empty(slots, np.int64),
        np.zeros(slots, np.int64),
        np.empty(slots, np.int32),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
    )


class LowLevel:
    """Finds paths for the agents of one problem; counts what it does.

    Attributes:
        expanded, generated: states, over all searches.
        searches: number of searches.
    """

    def __init__(self, problem: Problem, weighted: Weighted, tables: Float64, clearance: float, clock: Clock) -> None:
        self._starts = problem.starts.tolist()
        self._goals = problem.goals.tolist()
        self._weighted = weighted
        self._tables = tables
        self._clearance = clearance
        self._clock = clock
        self._capacity = max(1 << 12, 8 * (weighted.max_degree + 2))
        self._work = make_work(self._capacity)
        self._progress = np.zeros(7, np.int64)
        self._values = np.zeros(1)
        self._stamp = 0
        self._penalty = typical_step(weighted)
        self.expanded = 0
        self.generated = 0
        self.searches = 0

    def search(
        self,
        agent: int,
        constraints: Collection[Constraint] = (),
        others: Int32 = NO_OTHERS,
        skip: int = -1,
        w: float = 1.0,
        extra: float = 0.0,
    ) -> Route | None:
        """A path of cost at most w times the cheapest plus `extra`, with few conflicts with `others`; None when there is no path.

        Args:
            agent: whose start and goal.
            constraints: what it must not do.
            others: (T, K) paths to stay clear of where that is free of charge.
            skip: the agent's own column in `others`, or -1.
            w, extra: 1 and 0 for a cheapest path.

        Raises:
            OutOfTime: the deadline passed.
        """
        weighted, goal = self._weighted, self._goals[agent]
        table = make_table(constraints, weighted.xy.shape[1])
        later = max((row.step + 1 for row in constraints if row.kind == LATER), default=0)
        rest_from = max(later, int(first_rest(table, weighted.xy, self._clearance, goal)))
        horizon = max(len(table.first) - 1, others.shape[0] - 1, rest_from, int(table.keep_step.max(initial=0)))
        slice_size = expansions_per_slice(weighted.max_degree, others.shape[1])
        # Where risk is dear, a way round costs more than a few steps, and an agent that has been in conflict before must want it
        # more. With w = 1 there is nothing to spend on ways round, only ties to break.
        dearer, slices = (1, 2) if w == 1.0 else (WAY_ROUND * (1 + len(constraints)) ** 2, 40)
        self.searches += 1
        while True:
            self._stamp += 1
            query = Query(
                start=self._starts[agent],
                goal=goal,
                rest_from=rest_from,
                arrive_from=int(first_arrival(table, goal, rest_from)),
                horizon=horizon,
                skip=skip,
                stamp=self._stamp,
                max_degree=weighted.max_degree,
                patience=slices * slice_size,
                min_step=weighted.min_step,
                w=float(w),
                extra=float(extra),
                penalty=self._penalty * dearer,
                clearance=self._clearance,
            )
            self._progress[:] = 0
            status = BUDGET
            while status == BUDGET:
                self._clock.check()
                status = search(
                    weighted.forward,
                    weighted.waits,
                    weighted.xy,
                    self._tables[agent],
                    query,
                    table,
                    others,
                    self._work,
                    self._progress,
                    self._values,
                    slice_size,
                )
            self.expanded += int(self._progress[EXPANDED])
            self.generated += int(self._progress[GENERATED])
            if status != FULL:
                break
            self._capacity *= 4
            self._work = make_work(self._capacity)
        if status == EXHAUSTED:
            return None
        return self._route(int(self._progress[RESULT]))

    def _route(self, record: int) -> Route:
        path = np.empty(int(self._work.time[record]) + 1, np.int32)
        trace(self._work, record, path)
        cost = float(self._work.g[record])
        return Route(path, cost, min(cost, float(self._values[FMIN])), int(self._work.conflicts[record]))

    def distance(self, agent: int) -> float:
        """Cost of the agent's cheapest path alone, inf when it cannot reach its goal."""
        return float(self._tables[agent, self._starts[agent]])


def bound_of(route: Route | None) -> float:
    """Lower bound that a search proved: inf when it found that there is no path."""
    return math.inf if route is None else route.bound
