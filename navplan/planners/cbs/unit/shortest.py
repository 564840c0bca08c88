"""One agent's shortest paths within its rules, where every move and wait costs 1 and clearance is 0."""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.cbs.unit_diagrams import Diagram, least_met
from navplan.kernels.cbs.unit_search import POPPED, RESULT, STAMP, UnitWork, unit_search, unit_trace
from navplan.kernels.common.status import EXHAUSTED
from navplan.planners.cbs.search_memory import SearchMemory, columns, hash_table
from navplan.planners.cbs.unit.diagrams import Diagrams
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.rules import FOREVER, Rule, RulesInForce, earliest_end
from navplan.planners.cbs.unit.traffic import TrafficTable
from navplan.system.arrays import Int32, freeze

# Expansions of one kernel call.
SLICE = 20_000
# Costs that are tried before a search that takes longer for a cost but finds any.
TRIES = 3


class ShortestPaths:
    """Finds costs and paths; remembers costs.

    Attributes:
        searches: number of paths asked for.
    """

    def __init__(self, problem: UnitProblem, rules: RulesInForce, diagrams: Diagrams, traffic: TrafficTable) -> None:
        self._problem = problem
        self._rules = rules
        self._diagrams = diagrams
        self._traffic = traffic
        self._memory = SearchMemory(_make_work, 1 << 14, 5, problem.clock)
        self._met = np.empty((2, 1 << 12), np.int32)
        self._costs: dict[tuple[int, frozenset[Rule]], int | None] = {}
        self.searches = 0

    @property
    def expanded(self) -> int:
        """States, over all searches."""
        return int(self._memory.spent[POPPED])

    def forget(self) -> None:
        """Drop what is remembered."""
        self._costs.clear()

    def search(self, agent: int, rules: frozenset[Rule], least: int = 0) -> Int32 | None:
        """A shortest path within `rules` with the fewest conflicts with the traffic, unless too many are to choose from; None
        when there is none.

        Args:
            least: a lower bound on its cost.
        """
        self.searches += 1
        self._problem.clock.check()
        cost = self.cost(agent, rules, least)
        if cost is None:
            return None
        diagram = self._diagrams(agent, rules, cost)
        if diagram is None:
            return self._astar(agent, rules)
        return self.pick(diagram, cost)[0]

    def pick(self, diagram: Diagram, cost: int) -> tuple[Int32, int]:
        """The path of a diagram with the fewest conflicts with the traffic, and their number up to its end."""
        self._problem.clock.check()
        if self._met.shape[1] < len(diagram.nodes):
            self._met = np.empty((2, 2 * len(diagram.nodes)), np.int32)
        path = np.empty(cost + 1, np.int32)
        met = int(least_met(diagram, self._traffic.arrays, self._met, path))
        freeze(path)
        return path, met

    def cost(self, agent: int, rules: frozenset[Rule], least: int) -> int | None:
        """Of a shortest path within `rules`, which is at least `least`; None when there is none."""
        key = (agent, rules)
        if key not in self._costs:
            self._costs[key] = self._least(agent, rules, least)
        return self._costs[key]

    def _least(self, agent: int, rules: frozenset[Rule], least: int) -> int | None:
        problem = self._problem
        from_start = problem.h[agent, problem.starts[agent]]
        earliest = earliest_end(rules, problem.goals[agent])
        if earliest >= FOREVER or math.isinf(from_start):
            return None
        low = max(least, earliest, int(from_start))
        # a path that is hardly longer is found by its diagram, which will be asked for anyway
        for cost in range(low, low + TRIES):
            diagram = self._diagrams(agent, rules, cost)
            if diagram is None:
                break
            if len(diagram.nodes):
                return cost
        path = self._astar(agent, rules)
        return None if path is None else len(path) - 1

    def _astar(self, agent: int, rules: frozenset[Rule]) -> Int32 | None:
        """A shortest path however long it is, or None."""
        problem, memory = self._problem, self._memory
        start, goal = problem.starts[agent], problem.goals[agent]
        earliest = earliest_end(rules, goal)
        with self._rules.of(rules) as (arrays, horizon):
            stamp = memory.new_stamp()

            def step(work: UnitWork) -> int:
                memory.progress[STAMP] = stamp
                return int(
                    unit_search(
                        problem.indptr,
                        problem.indices,
                        problem.h[agent],
                        start,
                        goal,
                        earliest,
                        max(horizon, earliest),
                        arrays,
                        work,
                        memory.progress,
                        SLICE,
                    )
                )

            status = memory.run(step)
        if status == EXHAUSTED:
            return None
        record = int(memory.progress[RESULT])
        path = np.empty(int(memory.work.time[record]) + 1, np.int32)
        unit_trace(memory.work, record, goal, path)
        freeze(path)
        return path


def _make_work(capacity: int) -> UnitWork:
    records = columns(capacity, np.int32, np.int32, np.int32, np.uint8)
    return UnitWork(*records, *hash_table(capacity, np.int32), *columns(capacity, np.float64, np.int32))
