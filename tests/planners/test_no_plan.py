"""Problems without a plan: the planners of the CBS family prove it where one of them does."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.planners.solving import solve


def alcove() -> Problem:
    """A line of four nodes whose last edge is long, and two agents that would swap."""
    edges = {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 9.0}
    both = sorted([*edges, *((v, u) for u, v in edges)])
    graph = StateGraph(
        states=np.array([[0, 0], [0, 1], [0, 2], [0, 11]], np.float32),
        indptr=np.searchsorted([u for u, _ in both], np.arange(5)).astype(np.int32),
        indices=np.array([v for _, v in both], np.int32),
        distance=np.array([edges.get((u, v), edges.get((v, u), 0.0)) for u, v in both]),
        risk=np.zeros(6),
        wait_risk=np.zeros(4),
    )
    return Problem(graph, [0, 2], [2, 0], clearance=0)


def on(rows: list[str], starts: list[int], goals: list[int]) -> Problem:
    return Problem(StateGraph.from_grid(np.array([[cell == "#" for cell in row] for row in rows])), starts, goals)


PROBLEMS = {
    "corridor": on(["...."], [0, 3], [3, 0]),
    "T-junction": on(["...", "#.#"], [0, 2, 3], [2, 0, 1]),
    "alcove at the end of a long edge": alcove(),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("planner", ["cbs", "ecbs", "eecbs"])
def test_no_plan_is_proved(name: str, planner: str) -> None:
    plan = solve(PROBLEMS[name], planner, time_limit=20)
    assert plan.status == "infeasible", plan.reason
    assert plan.runtime_s < 5
