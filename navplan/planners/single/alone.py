"""What the planners for one agent share: from a path, or its absence, to a Plan."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, OutOfTime

Search = Callable[[Clock, int, int], tuple[list[int], int]]


def plan_alone(planner: str, problem: Problem, deadline: float | None, search: Search) -> Plan:
    """Run `search(clock, source, goal)`, which returns the path (empty: there is none) and the nodes it expanded."""
    began = time.perf_counter()
    path: list[int] = []
    expanded = 0
    status: Status = "optimal"
    reason = ""
    source, goal = int(problem.starts[0]), int(problem.goals[0])
    try:
        Clock(deadline).check()
        path, expanded = search(Clock(deadline), source, goal)
        if not path:
            status, reason = "infeasible", f"agent 0 cannot reach its goal: no way from node {source} to node {goal}"
    except OutOfTime:
        status, reason = "timeout", "time limit reached"
    except KeyboardInterrupt:
        status, reason = "unsolved", "interrupted"
    plan = make_plan(
        problem,
        planner,
        status,
        [path] if path else (),
        runtime_s=time.perf_counter() - began,
        reason=reason,
        stats={"expanded": expanded},
    )
    if plan.solved:
        return dataclasses.replace(plan, lower_bound=plan.sum_of_costs, suboptimality=1.0)
    return plan
