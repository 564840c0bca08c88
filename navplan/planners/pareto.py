"""Every trade-off of distance and risk that one agent has."""

from __future__ import annotations

import time
from typing import NamedTuple

from navplan.errors import InvalidProblem, PlanningFailed
from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import make_plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import Ending, attempt
from navplan.planners.checks import check_time_limit
from navplan.planners.risk.planner import Risk
from navplan.planners.risk.tables import RiskTables
from navplan.planners.risk.tradeoffs import TradeoffSearch, within
from navplan.system.arrays import Int32
from navplan.system.progress import Progress, heard, told


class TradeOff(NamedTuple):
    """A path that no other beats in both numbers: distance is the problem's own cost (hops with ``weight="hops"``)."""

    distance: float
    risk: float
    path: Int32


def pareto_front(problem: Problem, time_limit: float | None = None, *, progress: Progress = None) -> list[TradeOff]:
    """All undominated pairs of distance and risk with a path each, shortest first; empty when the goal cannot be reached.

    Paths of more risk than the problem's risk budget, if it has one, are left out. Who is told of `progress` is said at
    `navplan.system.progress.Progress`.

    Raises:
        InvalidProblem: the problem has more than one agent.
        PlanningFailed: the time limit passed before the front was complete.

    Example:
        >>> import numpy as np
        >>> from navplan import StateGraph
        >>> graph = StateGraph.from_grid(np.zeros((1, 3), bool))
        >>> [(point.distance, point.risk) for point in pareto_front(Problem(graph, [0], [2]))]
        [(2.0, 0.0)]
    """
    check_time_limit("time_limit", time_limit)
    with told(progress):
        warm_up(problem)
        began = time.perf_counter()
        points, status = front_within(problem, None if time_limit is None else began + time_limit)
    if status == "interrupted":
        raise KeyboardInterrupt
    if status != "complete":
        seconds = time.perf_counter() - began
        plan = make_plan(problem, "pareto", "timeout", runtime_s=seconds, reason="time limit reached")
        raise PlanningFailed(plan, f"pareto: time limit reached after {len(points)} trade-offs")
    return points


def warm_up(problem: Problem) -> float:
    """Compile the kernels; wall seconds, 0 when done before."""
    from navplan.planners.warm_up import warm_up as compiled

    return compiled(Risk(), problem)


def front_within(problem: Problem, deadline: float | None) -> tuple[list[TradeOff], Ending]:
    """What of the front is found in time, shortest first; "complete" when that is all of it, or "timeout" or "interrupted"."""
    if problem.num_agents != 1:
        raise InvalidProblem(f"the front of distance and risk is for 1 agent, the problem has {problem.num_agents}")
    problem = problem.fitted()
    heard().stage("searching every trade-off of distance and risk")
    fronts: TradeoffSearch | None = None
    with attempt("pareto", problem, deadline) as run:
        run.clock.check()
        tables = RiskTables.of(problem, PreparedGraph(problem.graph), run.clock)
        fronts = TradeoffSearch(problem, tables, problem.spacing, run.clock)
        fronts.search(0, cap=problem.risk_limit)
    found = fronts.found() if fronts is not None else []
    return [TradeOff(p.cost, p.risk, p.path) for p in found if within(p.risk, problem.risk_limit)], run.ending
