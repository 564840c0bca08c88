"""What the planners for one agent share: from a path, or its absence, to a Plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Clock, check_reachable

PathSearch = Callable[[Clock, int, int], tuple[list[int], int]]


def plan_alone(planner: str, problem: Problem, deadline: float | None, search: PathSearch) -> Plan:
    """Run `search(clock, source, goal)`, which returns the path (empty: there is none) and the nodes it expanded."""
    with attempt(planner, problem, deadline, early="", stats={"expanded": 0}) as run:
        run.clock.check()
        path, run.stats["expanded"] = search(run.clock, int(problem.starts[0]), int(problem.goals[0]))
        check_reachable(problem, np.array([0.0 if path else np.inf]))
        run.found([path], "optimal")
    return run.plan()
