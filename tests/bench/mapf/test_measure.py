from __future__ import annotations

from pathlib import Path

import numpy as np

from navplan.bench.mapf.measure import describe, lengths
from navplan.plan.plan import make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.problems.load import load_problem


def test_lengths_and_lateness(maps: Path) -> None:
    problem = load_problem(maps / "random.map", maps / "random-drawn-1.scen", 5)
    alone = [make_alone(problem, agent) for agent in range(5)]
    assert lengths(problem.graph, problem.starts, problem.goals) == alone
    from navplan.planners.solving import solve

    plan = solve(problem, "cbs")
    assert describe(plan, problem, sum(alone), 1e-9)["solved"] is (plan.runtime_s <= 0.1)
    assert describe(plan, problem, sum(alone), 60.0)["solved"] is True
    other = make_plan(problem, "x", "feasible", [np.array([s]) for s in problem.starts])
    assert describe(other, problem, sum(alone), 60.0)["status"] == "invalid"


def make_alone(problem: Problem, agent: int) -> float:
    """Length of a shortest path by the naive breadth-first search."""
    graph = problem.graph
    seen = layer = {int(problem.starts[agent])}
    steps = 0
    while int(problem.goals[agent]) not in seen:
        layer = {v for u in layer for v in graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist()} - seen
        seen, steps = seen | layer, steps + 1
    return float(steps)
