"""What the planners for one agent share: from a path, or its absence, to a Plan."""

from __future__ import annotations

import numpy as np

from navplan.graph.paths import cheapest_path
from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import check_reachable


def plan_alone(planner: str, problem: Problem, prepared: PreparedGraph, deadline: float | None, *, guided: bool) -> Plan:
    """The cheapest path of the only agent, by A* (`guided`) or by Dijkstra's algorithm."""
    with attempt(planner, problem, deadline, early="", stats={"expanded": 0}) as run:
        run.clock.check()
        costs = prepared.costs(problem.beta, problem.weight)
        source, goal = int(problem.starts[0]), int(problem.goals[0])
        path, run.stats["expanded"] = cheapest_path(costs, source, goal, guided=guided, check=run.clock.check)
        check_reachable(problem, np.array([0.0 if path.size else np.inf]))
        run.found([path], "optimal")
    return run.plan()
