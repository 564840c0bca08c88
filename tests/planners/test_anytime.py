"""LaCAM, then large-neighbourhood search on two cores."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners import anytime
from navplan.planners.anytime import Anytime
from navplan.planners.solving import solve
from tests.support.instances import random_digraph, random_grid
from tests.support.naive import planning as naive


def dense_grid(seed: int, side: int, agents: int) -> Problem:
    """Pillars in the open, so that every cell can be reached."""
    rng = np.random.default_rng(seed)
    walls = np.zeros((side, side), bool)
    walls[2::3, 2::3] = True
    graph = StateGraph.from_grid(walls)
    starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(graph, starts, goals)


def test_plans_are_valid_and_bounds_true() -> None:
    options = Anytime(max_rounds=2, time_limit=None)
    solved = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        problem = random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)
        if problem is None:
            continue
        plan = solve(problem, options)
        assert plan.planner == "anytime"
        if plan.solved:
            solved += 1
            validate(plan, problem)
            if seed % 8 == 0 and problem.num_agents < 4:
                best = naive.joint_optimum(problem, 50_000)
                assert plan.lower_bound is not None
                assert plan.sum_of_costs is not None
                assert best is None or plan.lower_bound <= best * (1 + 1e-9) <= plan.sum_of_costs * (1 + 2e-9)
        else:
            assert plan.status == "infeasible"
    assert solved > 150


def test_searches_side_by_side_stay_valid_and_repeat() -> None:
    for seed in range(3):
        problem = dense_grid(seed, 12, 60)
        options = Anytime(max_rounds=6, time_limit=None)
        first, second = (solve(problem, options, seed=3) for _ in range(2))
        validate(first, problem)
        assert [p.tolist() for p in first.paths] == [p.tolist() for p in second.paths]
        assert first.sum_of_costs is not None
        assert first.sum_of_costs < first.stats["first_sum_of_costs"]
        assert first.stats["mate_iterations"] > 0


def test_ctrl_c_while_the_other_core_sets_up_keeps_the_first_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    problem = dense_grid(0, 12, 30)
    solve(problem, Anytime(max_rounds=0))
    monkeypatch.setattr(anytime, "_set_up", interrupted)
    plan = solve(problem, "anytime")
    assert (plan.planner, plan.status, plan.reason) == ("anytime", "feasible", "interrupted")
    assert plan.lower_bound is not None
    validate(plan, problem)


@pytest.mark.alone
def test_statuses_and_deadline() -> None:
    corridor = Problem(StateGraph.from_grid(np.zeros((1, 5), bool)), [0, 4], [4, 0])
    plan = solve(corridor, "anytime")
    assert (plan.status, plan.planner) == ("infeasible", "anytime")
    apart = Problem(StateGraph.from_grid(np.array([[0, 1, 0]], bool)), [0], [1])
    assert "agent 0 cannot reach its goal" in solve(apart, "anytime").reason
    alone = Problem(StateGraph.from_grid(np.zeros((9, 9), bool)), [0], [80])
    assert solve(alone, "anytime").status == "optimal"
    plan = solve(dense_grid(0, 16, 80), "anytime", time_limit=1.0)
    assert plan.solved
    assert plan.runtime_s < 1.2
    with pytest.raises(InvalidProblem, match="clearance"):
        solve(random_digraph(np.random.default_rng(0), 0.5), "anytime")
    for wrong in ({"neighbours": 0}, {"max_rounds": -1}, {"time_limit": -1.0}):
        with pytest.raises(InvalidInput):
            Anytime(**wrong)


def test_few_agents_are_planned_exactly_and_the_time_is_not_used_up() -> None:
    """Two must pass each other by an alcove, which costs more than the sum of their optima: only a search proves it."""
    graph = StateGraph.from_grid(np.array([[False] * 6, [True] * 3 + [False] + [True] * 2]))
    plan = solve(Problem(graph, [0, 5], [5, 0]), "anytime", time_limit=30)
    assert plan.status == "optimal"
    assert plan.sum_of_costs is not None
    assert plan.sum_of_costs > 10
    assert plan.runtime_s < 5
    none = solve(Problem(StateGraph.from_grid(np.zeros((1, 4), bool)), [0, 3], [3, 0]), "anytime", time_limit=30)
    assert none.status == "infeasible"
