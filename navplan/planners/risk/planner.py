"""Cheapest paths within a risk budget, of one agent or shared by many."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Guarantee, Infeasible, Planner, check_reachable
from navplan.planners.cbs.joint_attempts import check_team
from navplan.planners.cbs.tree import check_apart
from navplan.planners.checks import check_limit, check_suboptimality, check_time_limit
from navplan.planners.risk.search import search
from navplan.planners.risk.shared import RiskOptions, Shared
from navplan.planners.risk.tables import RiskTables
from navplan.planners.risk.team import TeamAttempts
from navplan.planners.risk.tradeoffs import TradeoffSearch, budget_reason

Allocation = Literal["joint", "uniform", "surplus-deficit", "market-price"]


@dataclass(frozen=True, slots=True)
class Risk(Planner):
    """Least sum of costs (distances; hops with ``weight="hops"``) such that the risks of all paths add up to the budget at most.

    The budget is the problem's `risk_budget`; without one there is no limit. One agent: exact label search. Many agents: see
    `navplan.planners.risk.search`.
    """

    name: ClassVar[str] = "risk"
    guarantee: ClassVar[Guarantee] = "optimal"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs and risks; any clearance"
    about: ClassVar[str] = "least distance within a risk budget that all agents share; optimal with allocation 'joint'"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.labels", "navplan.kernels.cbs.joint_labels")
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
    team: int = 6
    """With "joint": plan all agents jointly, beside the conflict trees, in problems of at most so many; 0 for never."""
    team_after: int = 30
    """Conflict-tree nodes after which that begins; each attempt that runs out of room is repeated with four times as much."""

    def __post_init__(self) -> None:
        if self.allocation not in get_args(Allocation):
            raise InvalidInput(f"Risk.allocation is {self.allocation!r}, expected one of {', '.join(get_args(Allocation))}")
        check_suboptimality("Risk.suboptimality", self.suboptimality)
        check_time_limit("Risk.time_limit", self.time_limit)
        check_limit("Risk.max_nodes", self.max_nodes)
        check_team("Risk", self.team, self.team_after)

    def eager(self) -> Risk:
        """The same planner using every kernel from the start, for warming up."""
        return dataclasses.replace(self, team=max(self.team, 2), team_after=1, max_nodes=None)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        planned = _alone if problem.num_agents == 1 else _together
        return planned(self, problem, state, deadline)


def _alone(options: Risk, problem: Problem, prepared: PreparedGraph, deadline: float | None) -> Plan:
    """The cheapest path within the budget: bi-criteria labels, pruned by exact tables (Hernández et al. 2020)."""
    with attempt(options.name, problem, deadline, early="") as run:
        run.clock.check()
        tables = RiskTables.of(problem, prepared, run.clock)
        alone = TradeoffSearch(problem, tables, problem.spacing, run.clock)
        try:
            points = alone.search(0, cap=problem.risk_limit, most=1)
            if not points:
                check_reachable(problem, tables.cost[:, problem.starts[0]])
                raise Infeasible(budget_reason(problem, alone))
            run.found([points[0].path], "optimal", () if problem.risk_budget is None else [problem.risk_limit])
        finally:
            run.stats.update(expanded=alone.expanded, generated=alone.generated)
    return run.plan()


def _together(options: Risk, problem: Problem, prepared: PreparedGraph, deadline: float | None) -> Plan:
    """Check what is impossible at once, build the tables, search; the best solution counts, however the search ends."""
    with attempt(options.name, problem, deadline, early="") as run:
        run.clock.check()
        check_apart(problem, prepared.xy)
        tables = RiskTables.of(problem, prepared, run.clock)
        alone = TradeoffSearch(problem, tables, problem.spacing, run.clock)
        check_reachable(problem, tables.cost[np.arange(problem.num_agents), problem.starts])
        too_risky = budget_reason(problem, alone)
        if too_risky:
            raise Infeasible(too_risky)
        chosen = RiskOptions(options.allocation, options.suboptimality, options.max_nodes)
        shared = Shared(problem, tables, run.clock, chosen)
        attempts = TeamAttempts(shared, tables, options.team, options.team_after)
        progress = run.watch(SharedProgress(shared, attempts))
        try:
            reason = search(shared, attempts)
        finally:
            if shared.best is not None:
                shares = () if problem.risk_budget is None else shared.best.shares
                run.found([point.path for point in shared.best.points], "bounded", shares)
        if shared.best is None:
            if not reason:
                nowhere = f"every way of resolving the agents' conflicts needs more than the risk budget of {shared.budget:g}"
                raise Infeasible(nowhere)
            run.stop("gave up", reason + progress.progress())
    plan = run.plan()
    # beside a solution the only news is that time or Ctrl-C kept it from being proved optimal
    if plan.status == "optimal" or (plan.solved and run.ending == "gave up"):
        return dataclasses.replace(plan, reason="")
    return plan if plan.suboptimality is not None or not plan.solved else dataclasses.replace(plan, status="feasible")


@dataclass(frozen=True)
class SharedProgress:
    """What an attempt asks of the searches for many agents."""

    shared: Shared
    attempts: TeamAttempts

    @property
    def lower_bound(self) -> float | None:
        """Proved for the sum of costs; None where nothing is left to search."""
        return self.shared.lower_bound if math.isfinite(self.shared.lower_bound) else None

    def progress(self) -> str:
        """The bound, unless there is a solution to compare with it."""
        if self.shared.best is not None or self.lower_bound is None:
            return ""
        return f"; no solution costs less than {self.lower_bound:g}"

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        low = self.shared.low
        return {
            "expanded": self.shared.expanded,
            "joint_expanded": self.attempts.expanded,
            "low_level_searches": low.searches,
            "low_level_expanded": low.expanded,
            "low_level_generated": low.generated,
        }
