"""Priority-Based Search."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.priority.pbs import PBS
from navplan.planners.priority.prioritized import Prioritized
from navplan.planners.solving import solve
from tests.support.instances import random_digraph, random_grid, relabelled
from tests.support.naive import planning as naive


def random_problem(seed: int) -> Problem | None:
    rng = np.random.default_rng(seed)
    return random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)


def check(seed: int) -> float | None:
    """Validate the plan for one random problem; its ratio to the optimum where both are known."""
    problem = random_problem(seed)
    if problem is None:
        return None
    plan = solve(problem, PBS(time_limit=None))
    if not plan.solved:
        assert plan.status in ("infeasible", "unsolved")
        assert plan.reason
        return None
    validate(plan, problem)
    assert not naive.conflicts(problem, plan.paths)
    if problem.num_agents > 3:
        return None
    best = naive.joint_optimum(problem, 20_000)
    if best is None:
        return None
    assert plan.lower_bound is not None
    assert plan.sum_of_costs is not None
    assert plan.lower_bound <= best * (1 + 1e-9) <= plan.sum_of_costs * (1 + 2e-9)
    return plan.sum_of_costs / best


def test_plans_are_valid_and_near_the_optimum() -> None:
    ratios = [ratio for seed in range(240) if (ratio := check(seed)) is not None]
    assert len(ratios) > 60
    assert np.mean(ratios) < 1.02


@pytest.mark.kernels
def test_plans_of_a_few() -> None:
    for seed in range(300, 312):
        check(seed)


def test_cheaper_than_random_priorities() -> None:
    cheaper = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        graph = StateGraph.from_grid(np.zeros((10, 10), bool))
        starts, goals = (rng.choice(100, 25, replace=False).astype(np.int32) for _ in range(2))
        problem = Problem(graph, starts, goals)
        first, other = solve(problem, PBS(max_nodes=500)), solve(problem, Prioritized())
        if first.solved and other.solved:
            validate(first, problem)
            assert first.sum_of_costs is not None
            assert other.sum_of_costs is not None
            cheaper += first.sum_of_costs <= other.sum_of_costs
    assert cheaper >= 8


def test_same_plan_again_and_relabelling() -> None:
    for seed in range(2, 30, 2):
        problem = random_problem(seed)
        assert problem is not None
        first, second = (solve(problem, "pbs", seed=seed) for seed in (1, 2))
        assert [p.tolist() for p in first.paths] == [p.tolist() for p in second.paths]
        order = np.random.default_rng(seed).permutation(problem.graph.num_nodes)
        other = solve(relabelled(problem, order), "pbs")
        if first.solved and other.solved:
            assert other.lower_bound == pytest.approx(first.lower_bound)


def test_statuses() -> None:
    corridor = Problem(StateGraph.from_grid(np.zeros((1, 5), bool)), [0, 4], [4, 0])
    plan = solve(corridor, "pbs")
    assert plan.status == "unsolved"
    assert "incomplete" in plan.reason
    graph = StateGraph.from_grid(np.zeros((8, 8), bool))
    rng = np.random.default_rng(0)
    starts, goals = (rng.choice(64, 30, replace=False).astype(np.int32) for _ in range(2))
    plan = solve(Problem(graph, starts, goals), PBS(max_nodes=2))
    assert (plan.status, plan.reason) == ("unsolved", "node limit of 2 reached")
    assert solve(Problem(graph, starts, goals), PBS(), time_limit=0.0).status == "timeout"
    apart = StateGraph.from_grid(np.array([[0, 1, 0]], bool))
    assert solve(Problem(apart, [0], [1]), "pbs").status == "infeasible"
    with pytest.raises(InvalidProblem, match="clearance"):
        solve(random_digraph(np.random.default_rng(0), 0.5), "pbs")
    with pytest.raises(InvalidInput, match="max_nodes"):
        PBS(max_nodes=-1)
