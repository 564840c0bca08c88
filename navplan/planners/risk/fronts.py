"""One agent's trade-offs of cost and risk under constraints: the Python face of the label search, with the memory it works in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.common.status import BUDGET, FULL
from navplan.kernels.search.conflicts import LATER
from navplan.kernels.search.constraints import first_arrival, first_rest
from navplan.kernels.search.dijkstra import Csr, follow
from navplan.kernels.search.labels import (
    EXPANDED,
    GENERATED,
    POINTS,
    LabelQuery,
    LabelWork,
    TwoCosts,
    label_search,
    trace_label,
)
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Prepared, Weighted, distance_tables, expansions_per_slice, freeze
from navplan.planners.cbs.agent_search import NO_OTHERS, Constraint, make_table
from navplan.system.arrays import Float64, Int32

# Risks and costs that differ by less, relatively, are one number summed in two orders.
SAME = 1e-11


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


@dataclass(frozen=True, eq=False)
class RiskTables:
    """A problem's graph with both numbers, and per goal the least cost and the least risk from everywhere.

    Attributes:
        graph: costs without, risks with the problem's own weights; read-only.
        weighted: the graph with its costs alone.
        backward_risk: (M,) float64 risks of the reversed edges.
        cost, risk: (A, N) float64, inf where there is no way.
        min_risk: least of any move or wait.
    """

    graph: TwoCosts
    weighted: Weighted
    backward_risk: Float64
    cost: Float64
    risk: Float64
    min_risk: float

    @classmethod
    def of(cls, problem: Problem, prepared: Prepared, clock: Clock) -> RiskTables:
        """Build the tables.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        if problem.graph is not prepared.graph:
            raise InvalidInput("the problem's graph is not the one that was prepared")
        weighted = Weighted.of(problem, prepared)
        risk, waits = problem.graph.risk, problem.graph.wait_risk
        backward = risk[prepared.edges]
        freeze(backward)
        hazards = Weighted(
            forward=Csr(problem.graph.indptr, problem.graph.indices, risk),
            backward=Csr(prepared.indptr, prepared.indices, backward),
            waits=waits,
            xy=prepared.xy,
            unit=False,
            min_step=float(min(risk.min(initial=math.inf), waits.min(initial=math.inf))),
            max_degree=prepared.max_degree,
        )
        cost_tables = distance_tables(weighted, problem.goals, clock)
        if risk.any():
            risk_tables = distance_tables(hazards, problem.goals, clock)
        else:
            risk_tables = np.zeros_like(cost_tables)
            for costs, risks in zip(cost_tables, risk_tables, strict=True):
                clock.check()
                risks[np.isinf(costs)] = math.inf
            freeze(risk_tables)
        two = TwoCosts(
            problem.graph.indptr, problem.graph.indices, weighted.forward.weights, risk, weighted.waits, problem.graph.wait_risk
        )
        return cls(two, weighted, backward, cost_tables, risk_tables, hazards.min_step)


def _make_work(capacity: int) -> LabelWork:
    slots = 1 << (2 * capacity - 1).bit_length()
    return LabelWork(
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.bool_),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(slots, np.int64),
        np.zeros(slots, np.int64),
        np.empty(slots),
    )


class Fronts:
    """Finds the trade-offs of the agents of one problem; counts what it does.

    Attributes:
        tables: the graph and its reverse tables.
        expanded, generated: labels, over all searches.
        searches: number of searches.
    """

    def __init__(self, problem: Problem, tables: RiskTables, clearance: float, clock: Clock) -> None:
        self.tables = tables
        self._starts = problem.starts.tolist()
        self._goals = problem.goals.tolist()
        self._clearance = clearance
        self._clock = clock
        self._capacity = max(1 << 12, 8 * (tables.weighted.max_degree + 2))
        self._work = _make_work(self._capacity)
        self._progress = np.zeros(5, np.int64)
        self._values = np.zeros(1)
        self._stamp = 0
        self._quote: tuple[float, Csr] | None = None
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
        weighted, goal = self.tables.weighted, self._goals[agent]
        table = make_table(constraints, weighted.xy.shape[1])
        later = max((row.step + 1 for row in constraints if row.kind == LATER), default=0)
        rest_from = max(later, int(first_rest(table, weighted.xy, self._clearance, goal)))
        horizon = max(len(table.first) - 1, others.shape[0] - 1, rest_from, int(table.keep_step.max(initial=0)))
        # labels cost a few times what the states of a plain search do: heap, hash table, several to a state
        slice_size = 1 + expansions_per_slice(weighted.max_degree, others.shape[1]) // 6
        self.searches += 1
        while True:
            self._stamp += 1
            query = LabelQuery(
                start=self._starts[agent],
                goal=goal,
                rest_from=rest_from,
                arrive_from=int(first_arrival(table, goal, rest_from)),
                horizon=horizon,
                skip=skip,
                stamp=self._stamp,
                max_points=most if most is not None else np.iinfo(np.int32).max,
                max_degree=weighted.max_degree,
                min_cost=weighted.min_step,
                min_risk=self.tables.min_risk,
                cap=float(cap),
                price=float(worth.price) if worth is not None else 0.0,
                worth_cap=float(worth.cap) if worth is not None else math.inf,
                penalty=float(penalty),
                clearance=self._clearance,
            )
            status = self._run(agent, query, table, others, worth, slice_size)
            self.expanded += int(self._progress[EXPANDED])
            self.generated += int(self._progress[GENERATED])
            if status != FULL:
                break
            self._capacity *= 4
            self._work = _make_work(self._capacity)
        return self.found()

    def _run(
        self,
        agent: int,
        query: LabelQuery,
        table: object,
        others: Int32,
        worth: Worth | None,
        slice_size: int,
    ) -> int:
        self._progress[:] = 0
        status = BUDGET
        while status == BUDGET:
            self._clock.check()
            status = label_search(
                self.tables.graph,
                self.tables.weighted.xy,
                self.tables.cost[agent],
                self.tables.risk[agent],
                worth.ahead if worth is not None else self.tables.cost[agent],
                query,
                table,
                others,
                self._work,
                self._progress,
                self._values,
                slice_size,
            )
        return int(status)

    def found(self) -> list[Point]:
        """What the last search has found so far; each is undominated among all paths even if the search was cut short."""
        work = self._work
        points = []
        for label in work.points[: int(self._progress[POINTS])].tolist():
            path = np.empty(int(work.time[label]) + 1, np.int32)
            trace_label(work, label, path)
            points.append(Point(float(work.cost[label]), float(work.risk[label]), path, int(work.conflicts[label])))
        return [p for k, p in enumerate(points) if k + 1 == len(points) or not _beats(points[k + 1], p)]

    def priced(self, price: float) -> Float64:
        """(A, N) float64 least ``cost + price * risk`` from everywhere to each goal.

        Raises:
            OutOfTime: the deadline passed.
        """
        tables = self.tables
        if price == 0.0:
            return tables.cost
        backward = tables.weighted.backward
        turned = backward.weights + price * tables.backward_risk
        freeze(turned)
        mixed = dataclasses.replace(
            tables.weighted,
            forward=self._priced_graph(price),
            backward=backward._replace(weights=turned),
            unit=False,
        )
        return distance_tables(mixed, np.array(self._goals, np.int32), self._clock)

    def follow(self, agent: int, ahead: Float64, price: float) -> tuple[float, float]:
        """Cost and risk of the path that a table of `priced` leads the agent along, inf when it cannot reach its goal."""
        self._clock.check()
        graph = self.tables.graph
        priced = self._priced_graph(price)
        cost, risk = follow(priced, ahead, self._starts[agent], self._goals[agent], graph.cost, graph.risk)
        return float(cost), float(risk)

    def _priced_graph(self, price: float) -> Csr:
        if self._quote is None or self._quote[0] != price:
            forward = self.tables.weighted.forward
            weights = forward.weights + price * self.tables.graph.risk
            freeze(weights)
            self._quote = (price, forward._replace(weights=weights))
        return self._quote[1]

    def start(self, agent: int) -> int:
        """Where the agent starts."""
        return int(self._starts[agent])

    def least_risk(self, agent: int) -> float:
        """Risk of the agent's safest path alone, inf when it cannot reach its goal."""
        return float(self.tables.risk[agent, self._starts[agent]])


def _beats(dearer: Point, cheaper: Point) -> bool:
    """True when the next point of a front costs the same but for rounding, and risks less."""
    return dearer.conflicts == cheaper.conflicts and dearer.cost <= cheaper.cost * (1.0 + SAME)
