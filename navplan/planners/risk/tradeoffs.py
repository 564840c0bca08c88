"""One agent's trade-offs of cost and risk under constraints: the Python face of the label search, with the memory it works in."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from navplan.graph.one_to_all import expansions_per_slice
from navplan.kernels.search.labels import (
    EXPANDED,
    GENERATED,
    POINTS,
    Ahead,
    LabelQuery,
    LabelWork,
    label_search,
    trace_label,
)
from navplan.plan.problem import Problem
from navplan.planners.base import SAME, Clock
from navplan.planners.cbs.agent_search import NO_OTHERS
from navplan.planners.cbs.constraints import Constraint, Restrictions
from navplan.planners.cbs.search_memory import SearchMemory, columns, hash_table, heap
from navplan.planners.risk.tables import RiskTables
from navplan.system.arrays import Float64, Int32


class Worth(NamedTuple):
    """Only paths whose ``cost + price * risk`` is at most `cap` are of interest; `ahead` (N,) is the least of it to the goal."""

    price: float
    cap: float
    ahead: Float64


class Point(NamedTuple):
    """A path with what it costs and risks, and how many conflicts with other paths it was charged for."""

    cost: float
    risk: float
    path: Int32
    conflicts: int = 0


def within(risk: float, budget: float) -> bool:
    """Whether `risk` keeps `budget`, the rounding of a sum forgiven."""
    return risk <= budget + SAME * (1.0 + abs(budget))


class ParetoFront(NamedTuple):
    """One agent's trade-offs, cheapest first: (K,) float64 costs rising, risks falling; not empty."""

    cost: Float64
    risk: Float64
    points: tuple[Point, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> ParetoFront:
        """From what a label search found."""
        return cls(np.array([p.cost for p in points]), np.array([p.risk for p in points]), tuple(points))

    @property
    def least_risk(self) -> float:
        """Risk of the safest."""
        return float(self.risk[-1])

    def least_worth(self, price: float) -> float:
        """Least ``cost + price * risk``."""
        return float((self.cost + price * self.risk).min())

    def within(self, share: float) -> int:
        """Index of the cheapest that keeps `share`, -1 when none does."""
        fits = np.flatnonzero(self.risk <= share + SAME * (1.0 + abs(share)))
        return int(fits[0]) if fits.size else -1


class TradeoffSearch:
    """Finds the trade-offs of the agents of one problem; counts what it does.

    Attributes:
        expanded, generated: labels, over all searches.
        searches: number of searches.
    """

    def __init__(self, problem: Problem, tables: RiskTables, clearance: float, clock: Clock) -> None:
        self._tables = tables
        self._starts = problem.starts.tolist()
        self._goals = problem.goals.tolist()
        self._clearance = clearance
        self._memory = SearchMemory(_make_work, max(1 << 12, 8 * (tables.weighted.max_degree + 2)), 5, clock)
        self._values = np.zeros(1)
        self.expanded = 0
        self.generated = 0
        self.searches = 0

    def search(
        self,
        agent: int,
        constraints: Collection[Constraint] = (),
        *,
        cap: float = math.inf,
        most: int | None = None,
        others: Int32 = NO_OTHERS,
        skip: int = -1,
        penalty: float = 0.0,
        worth: Worth | None = None,
    ) -> list[Point]:
        """The paths of risk at most `cap` that no other beats in both cost and risk, cheapest first; empty when there is none.

        Args:
            agent: whose start and goal.
            constraints: what it must not do.
            cap: most risk.
            most: stop after so many, None for all of them; 1 gives the cheapest path within the cap.
            others: (T, K) paths; a conflict with one of them is charged `penalty` when paths are compared.
            skip: the agent's own column in `others`, or -1.
            worth: a further limit, or None.

        Raises:
            OutOfTime: the deadline passed.
        """
        if penalty == 0.0:
            others = NO_OTHERS
        tables, weighted, goal = self._tables, self._tables.weighted, self._goals[agent]
        limits = Restrictions.of(constraints, weighted.xy, self._clearance, goal)
        # labels cost a few times what the states of a plain search do: heap, hash table, several to a state
        slice_size = 1 + expansions_per_slice(weighted.max_degree, others.shape[1]) // 6
        memory = self._memory
        query = LabelQuery(
            start=self._starts[agent],
            goal=goal,
            rest_from=limits.rest_from,
            arrive_from=limits.arrive_from,
            horizon=max(limits.horizon, others.shape[0] - 1),
            skip=skip,
            stamp=memory.new_stamp(),
            max_points=most if most is not None else np.iinfo(np.int32).max,
            max_degree=weighted.max_degree,
            min_cost=weighted.min_step,
            min_risk=tables.min_risk,
            cap=float(cap),
            price=float(worth.price) if worth is not None else 0.0,
            worth_cap=float(worth.cap) if worth is not None else math.inf,
            penalty=float(penalty),
            clearance=self._clearance,
        )
        ahead = Ahead(tables.cost[agent], tables.risk[agent], tables.cost[agent] if worth is None else worth.ahead)

        def step(work: LabelWork) -> int:
            return int(
                label_search(
                    tables.graph,
                    weighted.xy,
                    ahead,
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
        memory.run(step)
        self.expanded, self.generated = int(memory.spent[EXPANDED]), int(memory.spent[GENERATED])
        return self.found()

    def found(self) -> list[Point]:
        """What the last search has found so far; each is undominated among all paths even if the search was cut short."""
        work = self._memory.work
        points = []
        for label in work.points[: int(self._memory.progress[POINTS])].tolist():
            path = np.empty(int(work.time[label]) + 1, np.int32)
            trace_label(work, label, path)
            points.append(Point(float(work.cost[label]), float(work.risk[label]), path, int(work.conflicts[label])))
        return [p for k, p in enumerate(points) if k + 1 == len(points) or not _beats(points[k + 1], p)]

    def least_risk(self, agent: int) -> float:
        """Risk of the agent's safest path alone, inf when it cannot reach its goal."""
        return float(self._tables.risk[agent, self._starts[agent]])


def _make_work(capacity: int) -> LabelWork:
    records = columns(capacity, np.int32, np.int32, np.float64, np.float64, np.int32, np.int32, np.bool_)
    return LabelWork(*records, *heap(capacity), *columns(capacity, np.int32), *hash_table(capacity, np.float64))


def _beats(dearer: Point, cheaper: Point) -> bool:
    """True when the next point of a front costs the same but for rounding, and risks less."""
    return dearer.conflicts == cheaper.conflicts and dearer.cost <= cheaper.cost * (1.0 + SAME)


def budget_reason(problem: Problem, search: TradeoffSearch) -> str:
    """Why no plan can keep the budget: the agents' safest paths alone need more; empty when they do not."""
    least = math.fsum(search.least_risk(agent) for agent in range(problem.num_agents))
    if within(least, problem.risk_limit):
        return ""
    whose = "the safest path" if problem.num_agents == 1 else f"the safest paths of all {problem.num_agents} agents together"
    return f"the risk budget of {problem.risk_limit:g} cannot be kept: {whose} has a risk of {least:g}"
