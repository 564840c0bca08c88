"""One agent's search under constraints: the Python face of the space-time kernel, with the memory it works in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from navplan.graph.one_to_all import expansions_per_slice
from navplan.kernels.common.status import EXHAUSTED
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
from navplan.planners.base import Clock
from navplan.planners.cbs.constraints import Constraint, Restrictions
from navplan.planners.cbs.search_memory import SearchMemory, columns, hash_table, heap
from navplan.planners.weighted import Weighted
from navplan.system.arrays import Float64, Int32


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


def make_work(capacity: int) -> Work:
    """Memory for `capacity` records."""
    records = columns(capacity, np.int32, np.int32, np.float64, np.float64, np.float64, np.int32, np.int32, np.int32, np.int8)
    return Work(*records, *hash_table(capacity, np.int32), *heap(capacity), *heap(capacity), *heap(capacity))


class AgentSearch:
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
        self._memory = SearchMemory(make_work, max(1 << 12, 8 * (weighted.max_degree + 2)), 7, clock)
        self._values = np.zeros(1)
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
        weighted, goal = self._weighted.of_agent(agent), self._goals[agent]
        limits = Restrictions.of(constraints, weighted.xy, self._clearance, goal)
        slice_size = expansions_per_slice(weighted.max_degree, others.shape[1])
        # Where risk is dear, a way round costs more than a few steps, and an agent that has been in conflict before must want it
        # more. With w = 1 there is nothing to spend on ways round, only ties to break.
        dearer, slices = (1, 2) if w == 1.0 else (WAY_ROUND * (1 + len(constraints)) ** 2, 40)
        memory = self._memory
        query = Query(
            start=self._starts[agent],
            goal=goal,
            rest_from=limits.rest_from,
            arrive_from=limits.arrive_from,
            horizon=max(limits.horizon, others.shape[0] - 1),
            skip=skip,
            stamp=memory.new_stamp(),
            max_degree=weighted.max_degree,
            patience=slices * slice_size,
            min_step=weighted.min_step,
            w=float(w),
            extra=float(extra),
            penalty=self._penalty * dearer,
            clearance=self._clearance,
        )

        def step(work: Work) -> int:
            return int(
                search(
                    weighted.forward,
                    weighted.waits,
                    weighted.xy,
                    self._tables[agent],
                    query,
                    limits.table,
                    others,
                    work,
                    memory.progress,
                    self._values,
                    slice_size,
                )
            )

        self.searches += 1
        status = memory.run(step)
        self.expanded, self.generated = int(memory.spent[EXPANDED]), int(memory.spent[GENERATED])
        return None if status == EXHAUSTED else self._route(int(memory.progress[RESULT]))

    def _route(self, record: int) -> Route:
        work = self._memory.work
        path = np.empty(int(work.time[record]) + 1, np.int32)
        trace(work, record, path)
        cost = float(work.g[record])
        return Route(path, cost, min(cost, float(self._values[FMIN])), int(work.conflicts[record]))

    def distance(self, agent: int) -> float:
        """Cost of the agent's cheapest path alone, inf when it cannot reach its goal."""
        return float(self._tables[agent, self._starts[agent]])
