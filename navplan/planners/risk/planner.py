"""Cheapest paths within a risk budget, of one agent or shared by many."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, check_time_limit
from navplan.planners.cbs.cbs import check_max_nodes
from navplan.planners.cbs.tree import reach_reason
from navplan.planners.risk.search import plan_together
from navplan.planners.risk.shared import RiskOptions
from navplan.planners.risk.tables import RiskTables
from navplan.planners.risk.tradeoffs import Point, TradeoffSearch, budget_reason

Allocation = Literal["joint", "uniform", "surplus-deficit", "market-price"]


@dataclass(frozen=True, slots=True)
class Risk:
    """Least sum of costs (distances; hops with ``weight="hops"``) such that the risks of all paths add up to the budget at most.

    The budget is the problem's `risk_budget`; without one there is no limit. One agent: exact label search. Many agents: see
    `navplan.planners.risk.search`.
    """

    name: ClassVar[str] = "risk"
    guarantee: ClassVar[Guarantee] = "optimal"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs and risks; any clearance"
    about: ClassVar[str] = "least distance within a risk budget that all agents share; optimal with allocation 'joint'"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.labels",)
    keeps_budget: ClassVar[bool] = True

    allocation: Allocation = "joint"
    """How agents share the budget: "joint" decides paths and shares together (optimal); "uniform" equal shares for good;
    "surplus-deficit" those who cannot keep theirs get what they need from the others; "market-price" one price of risk."""
    suboptimality: float = 1.0
    """With "joint": a plan proved to be within this ratio of the optimum is good enough, at least 1."""
    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up, None for no limit."""

    def __post_init__(self) -> None:
        if self.allocation not in get_args(Allocation):
            raise InvalidInput(f"Risk.allocation is {self.allocation!r}, expected one of {', '.join(get_args(Allocation))}")
        if not (isinstance(self.suboptimality, int | float) and 1.0 <= self.suboptimality < math.inf):
            raise InvalidInput(f"Risk.suboptimality is {self.suboptimality!r}, expected a number of at least 1")
        check_time_limit("Risk.time_limit", self.time_limit)
        check_max_nodes("Risk.max_nodes", self.max_nodes)

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        if problem.num_agents == 1:
            return _alone(self.name, problem, state, deadline)
        options = RiskOptions(self.allocation, self.suboptimality, self.max_nodes)
        return plan_together(self.name, options, problem, state, deadline)


def _alone(planner: str, problem: Problem, prepared: Prepared, deadline: float | None) -> Plan:
    """The cheapest path within the budget: bi-criteria labels, pruned by exact tables (Hernández et al. 2020)."""
    began = time.perf_counter()
    clock = Clock(deadline)
    search: TradeoffSearch | None = None
    points: list[Point] = []
    status: Status = "optimal"
    reason = ""
    try:
        clock.check()
        tables = RiskTables.of(problem, prepared, clock)
        search = TradeoffSearch(problem, tables, problem.spacing, clock)
        points = search.search(0, cap=problem.risk_limit, most=1)
        if not points:
            status, reason = "infeasible", reach_reason(problem, tables.cost) or budget_reason(problem, search)
    except OutOfTime:
        status, reason = "timeout", "time limit reached"
    except KeyboardInterrupt:
        status, reason = "unsolved", "interrupted"
    plan = make_plan(
        problem,
        planner,
        status,
        [point.path for point in points],
        allocations=[problem.risk_limit] if points and problem.risk_budget is not None else (),
        runtime_s=time.perf_counter() - began,
        reason=reason,
        stats={"expanded": search.expanded if search else 0, "generated": search.generated if search else 0},
    )
    return dataclasses.replace(plan, lower_bound=plan.sum_of_costs, suboptimality=1.0) if plan.solved else plan
